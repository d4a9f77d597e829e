// How likely a token is to choose each expert under a group limit. There is no integral as in inclusion.hpp, because an
// expert's own affinity helps to keep its group. So tokens are drawn, but few: what is averaged is not whether an
// expert was chosen but its chance given the affinities of all others, which fix a threshold that its own must exceed
// (conditional Monte Carlo). That takes out its own noise, most of the variance.
#pragma once

#include <span>
#include <vector>

#include "sim/routing/router_rule.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {

// [experts], their sum is top_k. As inclusion_probabilities, for a rule with a group limit.
std::vector<double> limited_inclusion(const RouterRule& rule, std::span<const double> weights,
                                      std::span<const double> bias, int tokens, SeededRandom& random);

}  // namespace strata
