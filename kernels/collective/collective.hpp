// Bytes that one rank sends in a collective; time is the fabric's business.
#pragma once

#include <cmath>

#include "hwmodels/units.hpp"

namespace strata {

// Dispatch travels in FP8 with one FP32 scale per 128 elements, combine in BF16 (DeepSeek-V3, section 3.2).
constexpr double kDispatchBytes = 1 + 4.0 / 128, kCombineBytes = 2;

// A token's copies to experts on one of n ranks (or nodes) travel once: with its k experts spread evenly it reaches
// n (1 - (1 - 1/n)^k) of them on average.
inline double copies_per_rank(double top_k, double ranks) {
    return ranks <= 1 ? 1 : ranks * -std::expm1(top_k * std::log1p(-1 / ranks));
}

// Every token goes to the ranks that hold its experts. `peers` ranks share the experts; a copy that stays on its own
// rank is not sent.
struct ExpertAllToAll {
    double tokens = 0;  // of this rank
    double hidden = 0;
    double copies = 0;             // destinations of one token (top_k, fewer when several land on one rank)
    double bytes_per_element = 1;  // FP8 dispatch 1 (plus scales), BF16 combine 2
    double peers = 1;

    constexpr Bytes sent() const {
        return peers <= 1 ? Bytes(0) : Bytes(tokens * hidden * copies * bytes_per_element * (peers - 1) / peers);
    }
};

// Ring: each rank sends 2 (n-1)/n of the buffer.
struct AllReduce {
    double elements = 0;
    double bytes_per_element = 2;
    double peers = 1;

    constexpr Bytes sent() const {
        return peers <= 1 ? Bytes(0) : Bytes(2 * elements * bytes_per_element * (peers - 1) / peers);
    }
};

}  // namespace strata
