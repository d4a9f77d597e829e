// A matrix product of cuBLASLt: D[m][n] = A[m][k] B[n][k]^T with FP32 accumulation, as the tensor-core ceiling.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <memory>

namespace strata {

enum class GemmType {
    bf16,
    fp8_tensor,  // E4M3 with one scale a tensor
    fp8_block,   // E4M3, 1x128 tiles of A and 128x128 blocks of B (cuBLAS 12.9 or newer, compute capability 9.0)
};

class LibraryGemm {
public:
    // Throws std::runtime_error where cuBLASLt has no algorithm for it on this card.
    LibraryGemm(GemmType type, int m, int n, int k, std::uint64_t seed);
    ~LibraryGemm();
    void launch(cudaStream_t stream);
    double flops() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strata
