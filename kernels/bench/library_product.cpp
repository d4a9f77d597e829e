#include "kernels/bench/library_product.hpp"

#include <cublasLt.h>

#include <stdexcept>
#include <string>

#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/kernel.hpp"

namespace strata {

namespace {

void check(cublasStatus_t status, const char* doing) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw std::runtime_error(std::string(doing) + ": cuBLASLt status " + std::to_string(int(status)));
}

constexpr std::size_t kWorkspaceBytes = 64 << 20;

}  // namespace

// cuBLASLt counts by columns: its A is our w, its B our a, its D[n][m] our out[m][n].
struct LibraryProduct::Parts {
    cublasLtHandle_t handle = nullptr;
    cublasLtMatmulDesc_t what = nullptr;
    cublasLtMatrixLayout_t w = nullptr, a = nullptr, out = nullptr;
    cublasLtMatmulAlgo_t algorithm{};
    Buffer<std::uint8_t> workspace{kWorkspaceBytes};

    explicit Parts(const ProductShape& shape) {
        if (shape.m < 1 || shape.n < 1 || shape.k < 1 || shape.k % 8 != 0)
            throw std::invalid_argument(
                "a product of cuBLASLt: expected m, n of at least 1 and k in whole eights, found " +
                std::to_string(shape.m) + ", " + std::to_string(shape.n) + ", " + std::to_string(shape.k));
        const std::uint64_t m = std::uint64_t(shape.m), n = std::uint64_t(shape.n), k = std::uint64_t(shape.k);
        const cublasOperation_t transposed = CUBLAS_OP_T;
        check(cublasLtCreate(&handle), "starting cuBLASLt");
        check(cublasLtMatmulDescCreate(&what, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a product");
        check(cublasLtMatmulDescSetAttribute(what, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed)),
              "describing a product");
        check(cublasLtMatrixLayoutCreate(&w, CUDA_R_16BF, k, n, shape.k), "describing weights");
        check(cublasLtMatrixLayoutCreate(&a, CUDA_R_16BF, k, m, shape.k), "describing activations");
        check(cublasLtMatrixLayoutCreate(&out, shape.fp32_out ? CUDA_R_32F : CUDA_R_16BF, n, m, shape.n),
              "describing a result");
        choose();
    }

    void choose() {
        cublasLtMatmulPreference_t preference = nullptr;
        check(cublasLtMatmulPreferenceCreate(&preference), "choosing an algorithm");
        cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspaceBytes,
                                             sizeof(kWorkspaceBytes));
        cublasLtMatmulHeuristicResult_t found{};
        int count = 0;
        const cublasStatus_t status =
            cublasLtMatmulAlgoGetHeuristic(handle, what, w, a, out, out, preference, 1, &found, &count);
        cublasLtMatmulPreferenceDestroy(preference);
        if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && count == 0))
            throw NotApplicable("cuBLASLt has no algorithm for this product on this card");
        check(status, "choosing an algorithm");
        algorithm = found.algo;
    }

    ~Parts() {
        if (out) cublasLtMatrixLayoutDestroy(out);
        if (a) cublasLtMatrixLayoutDestroy(a);
        if (w) cublasLtMatrixLayoutDestroy(w);
        if (what) cublasLtMatmulDescDestroy(what);
        if (handle) cublasLtDestroy(handle);
    }
    Parts(const Parts&) = delete;
};

LibraryProduct::LibraryProduct(const ProductShape& shape) : parts_(std::make_unique<Parts>(shape)) {}
LibraryProduct::LibraryProduct(LibraryProduct&&) noexcept = default;
LibraryProduct::~LibraryProduct() = default;

void LibraryProduct::launch(const Bf16* a, const Bf16* w, void* out, cudaStream_t stream) {
    const float one = 1, zero = 0;
    check(cublasLtMatmul(parts_->handle, parts_->what, &one, w, parts_->w, a, parts_->a, &zero, out, parts_->out, out,
                         parts_->out, &parts_->algorithm, parts_->workspace.data(), kWorkspaceBytes, stream),
          "a product of cuBLASLt");
}

}  // namespace strata
