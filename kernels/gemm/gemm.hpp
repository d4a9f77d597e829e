// Dense matrix product: out[m][n] = sum_k a[m][k] * w[n][k]. Activations of a block-scaled product travel as 1x128
// tiles; the result is BF16. Quantising the input is an op of its own and not counted here.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct Gemm {
    double m = 0;  // tokens
    double n = 0;
    double k = 0;
    Precision weights = Precision::bf16;

    constexpr Work work() const {
        const double activation = weights == Precision::bf16 ? 2.0 : bytes_per_element(Precision::fp8_tile);
        return {.flops = Flops(2 * m * n * k),
                .read = Bytes(m * k * activation + n * k * bytes_per_element(weights)),
                .written = Bytes(m * n * 2)};
    }
};

}  // namespace strata
