// The order in which grouped products take (token, expert) pairs: by expert, tokens ascending within one, each expert
// padded to whole tiles of rows.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct AlignPairs {
    double pairs = 0;  // tokens * top_k
    double slots = 0;  // pairs and padding

    // Each pair's expert is read and its slot written; each slot is told its pair. Counts and offsets are not counted.
    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(pairs * 4), .written = Bytes((pairs + slots) * 4)};
    }
};

}  // namespace strata
