// Dense matrix product: out[m][n] = sum_k a[m][k] * w[n][k]. The result is BF16. Quantising the input is an op of its
// own and not counted here.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct Gemm {
    double m = 0;  // tokens
    double n = 0;
    double k = 0;
    Precision weights = Precision::bf16;
    Precision activations = activations_for(weights);  // BF16 or FP8

    constexpr bool in_fp8() const { return activations != Precision::bf16; }
    constexpr Work work() const {
        return {.flops = Flops(2 * m * n * k),
                .read = Bytes(m * k * bytes_per_element(activations) + n * k * bytes_per_element(weights)),
                .written = Bytes(m * n * 2)};
    }
};

}  // namespace strata
