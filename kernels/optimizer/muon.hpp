// Muon: the momentum of a matrix is replaced by the nearest matrix with orthonormal rows, which a few Newton-Schulz
// steps approach by products alone (DeepSeek-V4, arXiv 2606.19348, section 2.4 and algorithm 1; facts v4.md 6,
// kernels.md A12 and B12):
//   X = N / |N|;  each step  A = X X^T,  B = b A + c A^2,  X = a X + B X
// Rows are the shorter side: a matrix with more rows than columns is transposed before and after.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct NewtonSchulz {
    double matrices = 1;
    double rows = 0;  // at most columns
    double columns = 0;
    double steps = 5;
    bool symmetric = true;  // A and B are symmetric: half of each is computed

    // Operands are BF16. X, A and B are each read and written once a product; what L2 keeps between is counted too.
    constexpr Work work() const {
        const double x = rows * columns, a = rows * rows;
        const double half = symmetric ? 0.5 : 1;
        const double flops = 2 * x * rows * half + 2 * a * rows * half + 2 * x * rows;
        return {.flops = Flops(matrices * steps * flops),
                .read = Bytes(matrices * steps * 2 * (x + a + a + x)),
                .written = Bytes(matrices * steps * 2 * (a + a + x))};
    }
};

// What is done to each element before: momentum, and the scaling by the norm, which needs all of a matrix first.
struct MuonMomentum {
    double elements = 0;

    // BF16 gradients and FP32 momentum, read twice; momentum written once, X in BF16.
    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(elements * 2 * (2 + 4)), .written = Bytes(elements * (4 + 2))};
    }
};

// And after: FP32 master weights, and their BF16 copy.
struct MuonApply {
    double elements = 0;

    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(elements * (2 + 4)), .written = Bytes(elements * (4 + 2))};
    }
};

}  // namespace strata
