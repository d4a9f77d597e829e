// Bytes that one rank sends in a collective; time is the fabric's business.
#pragma once

#include "hwmodels/units.hpp"

namespace strata {

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
