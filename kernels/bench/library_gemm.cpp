#include "kernels/bench/library_gemm.hpp"

#include <stdexcept>
#include <string>

#include "kernels/bench/device_buffer.hpp"

namespace strata {

namespace {

void check(cublasStatus_t status, const char* doing) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw std::runtime_error(std::string(doing) + ": cuBLASLt status " + std::to_string(int(status)));
}

constexpr std::size_t kWorkspaceBytes = 64 << 20;

}  // namespace

// cuBLAS is column-major: its A is our B (transposed), its B our A, its D[n][m] our D[m][n].
struct LibraryGemm::Parts {
    int m, n, k;
    cublasLtHandle_t handle = nullptr;
    cublasLtMatmulDesc_t what = nullptr;
    cublasLtMatrixLayout_t weights_layout = nullptr, activations_layout = nullptr, out_layout = nullptr;
    cublasLtMatmulAlgo_t algorithm{};
    Buffer<std::uint8_t> weights, activations, out, workspace;
    Buffer<float> weight_scales, activation_scales;

    Parts(GemmType type, int m_, int n_, int k_, std::uint64_t seed)
        : m(m_),
          n(n_),
          k(k_),
          weights(std::size_t(n_) * std::size_t(k_) * (type == GemmType::bf16 ? 2 : 1)),
          activations(std::size_t(m_) * std::size_t(k_) * (type == GemmType::bf16 ? 2 : 1)),
          out(std::size_t(m_) * std::size_t(n_) * 2),
          workspace(kWorkspaceBytes),
          // Blocks of 128x128 are K-major with a leading dimension of whole fours.
          weight_scales(std::size_t((n_ + 127) / 128) * std::size_t(((k_ + 127) / 128 + 3) / 4 * 4)),
          activation_scales(std::size_t(m_ + 3) / 4 * 4 * std::size_t((k_ + 127) / 128)) {
        const std::size_t activations_count = std::size_t(m) * std::size_t(k),
                          weights_count = std::size_t(n) * std::size_t(k);
        if (type == GemmType::bf16) {
            fill_normal(reinterpret_cast<Bf16*>(activations.data()), activations_count, seed, 1, 0);
            fill_normal(reinterpret_cast<Bf16*>(weights.data()), weights_count, seed + 1, 1, 0);
        } else {
            fill_normal(reinterpret_cast<E4m3*>(activations.data()), activations_count, seed, 64, 0);
            fill_normal(reinterpret_cast<E4m3*>(weights.data()), weights_count, seed + 1, 64, 0);
        }
        fill_uniform(weight_scales.data(), weight_scales.size(), seed + 2, 0.001f, 0.01f);
        fill_uniform(activation_scales.data(), activation_scales.size(), seed + 3, 0.001f, 0.01f);
        describe(type);
        choose();
    }

    template <class T>
    void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
        check(cublasLtMatmulDescSetAttribute(what, attribute, &value, sizeof(value)), "describing a product");
    }

    void describe(GemmType type) {
        const cudaDataType_t element = type == GemmType::bf16 ? CUDA_R_16BF : CUDA_R_8F_E4M3;
        check(cublasLtCreate(&handle), "starting cuBLASLt");
        check(cublasLtMatmulDescCreate(&what, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a product");
        set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
        set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
        if (type != GemmType::bf16) {
            set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(weight_scales.data()));
            set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, static_cast<const void*>(activation_scales.data()));
        }
        if (type == GemmType::fp8_block) {
            set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F);
            set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F);
        }
        check(cublasLtMatrixLayoutCreate(&weights_layout, element, std::uint64_t(k), std::uint64_t(n), k),
              "describing B");
        check(cublasLtMatrixLayoutCreate(&activations_layout, element, std::uint64_t(k), std::uint64_t(m), k),
              "describing A");
        check(cublasLtMatrixLayoutCreate(&out_layout, CUDA_R_16BF, std::uint64_t(n), std::uint64_t(m), n),
              "describing D");
    }

    void choose() {
        cublasLtMatmulPreference_t preference = nullptr;
        check(cublasLtMatmulPreferenceCreate(&preference), "choosing an algorithm");
        cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspaceBytes,
                                             sizeof(kWorkspaceBytes));
        cublasLtMatmulHeuristicResult_t found{};
        int count = 0;
        const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
            handle, what, weights_layout, activations_layout, out_layout, out_layout, preference, 1, &found, &count);
        cublasLtMatmulPreferenceDestroy(preference);
        check(status, "choosing an algorithm");
        if (count == 0) throw std::runtime_error("cuBLASLt has no algorithm for this product on this card");
        algorithm = found.algo;
    }

    ~Parts() {
        cublasLtMatrixLayoutDestroy(out_layout);
        cublasLtMatrixLayoutDestroy(activations_layout);
        cublasLtMatrixLayoutDestroy(weights_layout);
        cublasLtMatmulDescDestroy(what);
        cublasLtDestroy(handle);
    }
};

LibraryGemm::LibraryGemm(GemmType type, int m, int n, int k, std::uint64_t seed)
    : parts_(std::make_unique<Parts>(type, m, n, k, seed)) {}
LibraryGemm::~LibraryGemm() = default;

double LibraryGemm::flops() const { return 2.0 * parts_->m * parts_->n * parts_->k; }

void LibraryGemm::launch(cudaStream_t stream) {
    const float one = 1, zero = 0;
    check(cublasLtMatmul(parts_->handle, parts_->what, &one, parts_->weights.data(), parts_->weights_layout,
                         parts_->activations.data(), parts_->activations_layout, &zero, parts_->out.data(),
                         parts_->out_layout, parts_->out.data(), parts_->out_layout, &parts_->algorithm,
                         parts_->workspace.data(), kWorkspaceBytes, stream),
          "a product of cuBLASLt");
}

}  // namespace strata
