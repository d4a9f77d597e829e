// Rows of tokens to the slots of their experts, and back: the two moves around the experts' products.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct PermuteRows {
    double tokens = 0;
    double pairs = 0;      // (token, expert) pairs that have a slot
    double padding = 0;    // slots that are zero-filled
    double row_bytes = 0;  // scales included

    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(tokens * row_bytes), .written = Bytes((pairs + padding) * row_bytes)};
    }
};

struct CombineRows {
    double tokens = 0;
    double pairs = 0;
    double hidden = 0;
    bool with_addend = false;

    // A multiply-add for each element of each pair; weights and slots are small beside the rows and are not counted.
    constexpr Work work() const {
        return {.flops = Flops(2 * pairs * hidden),
                .read = Bytes((pairs + (with_addend ? tokens : 0)) * hidden * 2),
                .written = Bytes(tokens * hidden * 2)};
    }
};

}  // namespace strata
