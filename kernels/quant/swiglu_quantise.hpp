// SwiGLU fused with FP8 quantisation in 1x128 tiles (DeepSeek-V3, arXiv 2412.19437, section 3.3):
//   out[row][j] = quantise(silu(gate[row][j]) * up[row][j])
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct SwigluQuantise {
    double rows = 0;
    double width = 0;                     // of the output
    Precision out = Precision::fp8_tile;  // bf16: nothing is quantised

    // A few operations an element run beside the tensor cores and are not counted.
    constexpr Work work() const {
        const double elements = rows * width;
        return {
            .flops = Flops(0), .read = Bytes(elements * 2 * 2), .written = Bytes(elements * bytes_per_element(out))};
    }
};

}  // namespace strata
