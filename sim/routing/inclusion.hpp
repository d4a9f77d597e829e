// How likely a token is to choose each expert, without drawing tokens. An expert's logit is log(weight) + Gumbel noise,
// so the largest ones are the earliest of exponential clocks with these rates (the Gumbel top-k of Plackett and Luce's
// choice; Kool, van Hoof and Welling 2019, arXiv 1903.06059). Expert e is chosen if fewer than k others come before it:
//   P(e) = integral of P(N_-e(t) <= k - 1) d P(e before t),
// where N_-e(t), the others before t, is a sum of independent Bernoulli variables.
#pragma once

#include <span>
#include <vector>

#include "sim/routing/router_rule.hpp"

namespace strata {

// Scales weights so that an expected top_k experts have odds of 1 or more (a logit of 0 or more):
//   sum over e of 1 - exp(-weight) = top_k.
void normalise_weights(std::vector<double>& weights, int top_k);

// [experts], their sum is top_k. `weights` are positive; `bias`, which may be empty, is added to affinities. Without a
// group limit only: with one there is no such integral (limited_inclusion.hpp).
std::vector<double> inclusion_probabilities(const RouterRule& rule, std::span<const double> weights,
                                            std::span<const double> bias);

}  // namespace strata
