// A matrix product of cuBLASLt: D[m][n] = A[m][k] B[n][k]^T with FP32 accumulation: the tensor-core ceiling, and the
// baseline of hand-written products. The emulator has none: there a product throws NotApplicable.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>

namespace strata {

enum class GemmType {
    bf16,
    fp8_tensor,  // E4M3 with one scale a tensor
    fp8_block,   // E4M3, 1x128 tiles of A and 128x128 blocks of B (cuBLAS 12.9 or newer, compute capability 9.0)
};

// Scales of fp8_block: of A [k / 128][m], of B [ceil(n / 128)][k / 128 padded to fours] (so NVIDIA's cuBLASLt samples
// count them, and PyTorch's ScaledBlas.cpp checks their strides); of fp8_tensor one each; of bf16 none.
struct GemmOperands {
    const void* a = nullptr;
    const float* a_scales = nullptr;
    const void* b = nullptr;
    const float* b_scales = nullptr;
    void* out = nullptr;
};

// The library's handle and its workspace: products on one stream share them.
class LibraryContext {
public:
    LibraryContext();
    ~LibraryContext();

private:
    friend class LibraryGemm;
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

class LibraryGemm {
public:
    // Throws NotApplicable where cuBLASLt has no algorithm for it on this card. On random operands of its own:
    LibraryGemm(GemmType type, int m, int n, int k, std::uint64_t seed);
    LibraryGemm(GemmType type, int m, int n, int k, const GemmOperands& operands,
                std::shared_ptr<LibraryContext> context);
    LibraryGemm(LibraryGemm&&) noexcept;
    ~LibraryGemm();
    void launch(cudaStream_t stream);
    double flops() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strata
