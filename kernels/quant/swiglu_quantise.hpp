// SwiGLU fused with FP8 quantisation in 1x128 tiles (DeepSeek-V3, arXiv 2412.19437, section 3.3):
//   out[row][j] = quantise(silu(gate[row][j]) * up[row][j])
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct SwigluQuantise {
    double rows = 0;
    double width = 0;    // of the output
    bool to_fp8 = true;  // false: the output stays BF16

    // A few operations an element run beside the tensor cores and are not counted.
    constexpr Work work() const {
        const double elements = rows * width;
        return {.flops = Flops(0),
                .read = Bytes(elements * 2 * 2),
                .written = Bytes(elements * (to_fp8 ? bytes_per_element(Precision::fp8_tile) : 2.0))};
    }
};

}  // namespace strata
