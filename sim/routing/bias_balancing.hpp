// Balancing without an auxiliary loss (DeepSeek-V3, arXiv 2412.19437, section 2.1.2): after each step the bias of an
// expert with more tokens than the mean falls by a fixed rate and of one with fewer it grows. Biases choose experts and
// do not weigh them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/routing/score_routing.hpp"

namespace strata {

// The published rate: V3 (section 4.2; 0 in its last 500 B tokens) and V4 (arXiv 2606.19348, training setup).
inline constexpr double kBiasRate = 0.001;

// The busiest expert's tokens over the mean; 1 is balance. 0 tokens in all are balanced.
double max_over_mean(std::span<const std::int64_t> loads);

// bias += rate * sign(mean - load)
void update_bias(std::vector<double>& bias, std::span<const std::int64_t> loads, double rate);

// Runs steps first, first + 1, ... of a layer with an update after each; the layer keeps its biases. Returns max/mean
// of each step's loads.
std::vector<double> balance(ScoreRouting& routing, int layer, std::int64_t first, int steps, double rate = kBiasRate);

}  // namespace strata
