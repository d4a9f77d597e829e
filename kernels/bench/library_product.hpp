// A product of cuBLASLt on buffers of the caller: out[m][n] = sum_k a[m][k] w[n][k], BF16 in, FP32 sums, FP32 or BF16
// out.
#pragma once

#include <cuda_runtime.h>

#include <memory>

#include "kernels/elements.hpp"

namespace strata {

struct ProductShape {
    long m = 1, n = 8, k = 8;  // k in whole eights: cuBLASLt reads 16 bytes at once
    bool fp32_out = false;
};

class LibraryProduct {
public:
    // Throws NotApplicable where cuBLASLt has no algorithm for the shape on this card.
    explicit LibraryProduct(const ProductShape& shape);
    LibraryProduct(LibraryProduct&&) noexcept;
    ~LibraryProduct();

    void launch(const Bf16* a, const Bf16* w, void* out, cudaStream_t stream);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strata
