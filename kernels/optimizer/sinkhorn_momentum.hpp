// Sinkhorn-balanced momentum of an Engram table's touched rows (DeepSeek-V4.1; facts v4.md 1.7 and 6).
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct SinkhornMomentum {
    double rows = 0;  // touched
    double width = 256;
    double iterations = 11;

    // BF16 gradients; FP32 momentum, read and written with them; then a row's norm needs all columns' norms and the
    // other way round, so every column normalisation is another reading of the momentum, and the last row
    // normalisation reads it once more and updates FP32 weights. Rows that L2 holds from pass to pass are counted too.
    constexpr Work work() const {
        const double elements = rows * width, passes = (iterations - 1) / 2;
        return {.flops = Flops(0),
                .read = Bytes(elements * (2 + 4 + 4 * passes + 4 + 4)),
                .written = Bytes(elements * (4 + 4))};
    }
};

}  // namespace strata
