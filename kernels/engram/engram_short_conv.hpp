// Short convolution of Engram over gated values, as the paper and its demo have it and V4.1 has not (facts v4.md 1.1):
//   out = v + silu(conv(rmsnorm(v))), depthwise, causal, 4 taps, 3 tokens apart.
#pragma once

#include "kernels/work.hpp"

namespace strata {

// Unlike EngramConv, which counts the residual that the model adds too, this is what the kernel itself moves.
struct EngramShortConv {
    double tokens = 0;
    double hidden = 0;
    double streams = 4;
    bool decode = false;  // three earlier values come from the state and one goes to it; in a prompt they are at hand

    constexpr Work work() const {
        const double elements = tokens * hidden * streams;
        return {.flops = Flops(elements * 2 * 4),
                .read = Bytes(elements * 2 * (decode ? 4 : 1)),
                .written = Bytes(elements * 2 * (decode ? 2 : 1))};
    }
};

}  // namespace strata
