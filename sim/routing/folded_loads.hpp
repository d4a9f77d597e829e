// Tokens per expert of many tokens at once, without drawing them one by one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/routing/seeded_random.hpp"

namespace strata {

// A draw of the binomial distribution of n trials with success p.
std::int64_t binomial(std::int64_t n, double p, SeededRandom& random);

// Splits n among bins with these shares (a multinomial draw, by conditional binomials).
std::vector<std::int64_t> multinomial(std::int64_t n, std::span<const double> shares, SeededRandom& random);

// [experts], between 0 and `tokens` each, their sum tokens * top_k exactly. Each expert's load is binomial; what the
// sum is off by is taken from the experts in proportion to their variances, as conditioning normal variables on their
// sum does. Tokens are independent, so an expert's variance is tokens * p * (1 - p): a multinomial draw of the pairs
// would give tokens * p * (1 - p / top_k), too much for hot experts.
std::vector<std::int64_t> folded_loads(std::span<const double> inclusion, int top_k, std::int64_t tokens,
                                       SeededRandom& random);

}  // namespace strata
