#include "kernels/bench/library_gemm.hpp"

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

std::size_t element_bytes(GemmType type) { return type == GemmType::bf16 ? 2 : 1; }

// Random operands, for a product that nobody looks at.
struct OwnOperands {
    Buffer<std::uint8_t> b, a, out;
    Buffer<float> b_scales, a_scales;

    OwnOperands(GemmType type, int m, int n, int k, std::uint64_t seed)
        : b(std::size_t(n) * std::size_t(k) * element_bytes(type)),
          a(std::size_t(m) * std::size_t(k) * element_bytes(type)),
          out(std::size_t(m) * std::size_t(n) * 2),
          b_scales(std::size_t((n + 127) / 128) * std::size_t(((k + 127) / 128 + 3) / 4 * 4)),
          a_scales(std::size_t(m + 3) / 4 * 4 * std::size_t((k + 127) / 128)) {
        const std::size_t a_count = std::size_t(m) * std::size_t(k), b_count = std::size_t(n) * std::size_t(k);
        if (type == GemmType::bf16) {
            fill_normal(reinterpret_cast<Bf16*>(a.data()), a_count, seed, 1, 0);
            fill_normal(reinterpret_cast<Bf16*>(b.data()), b_count, seed + 1, 1, 0);
        } else {
            fill_normal(reinterpret_cast<E4m3*>(a.data()), a_count, seed, 64, 0);
            fill_normal(reinterpret_cast<E4m3*>(b.data()), b_count, seed + 1, 64, 0);
        }
        fill_uniform(b_scales.data(), b_scales.size(), seed + 2, 0.001f, 0.01f);
        fill_uniform(a_scales.data(), a_scales.size(), seed + 3, 0.001f, 0.01f);
    }
    GemmOperands operands() const {
        return {
            .a = a.data(), .a_scales = a_scales.data(), .b = b.data(), .b_scales = b_scales.data(), .out = out.data()};
    }
};

}  // namespace

struct LibraryContext::Parts {
    cublasLtHandle_t handle = nullptr;
    Buffer<std::uint8_t> workspace{kWorkspaceBytes};
    Parts() { check(cublasLtCreate(&handle), "starting cuBLASLt"); }
    ~Parts() { cublasLtDestroy(handle); }
};

LibraryContext::LibraryContext() : parts_(std::make_unique<Parts>()) {}
LibraryContext::~LibraryContext() = default;

// cuBLAS is column-major: its A is our B (transposed), its B our A, its D[n][m] our D[m][n].
struct LibraryGemm::Parts {
    int m, n, k;
    std::unique_ptr<OwnOperands> own;
    GemmOperands operands;
    std::shared_ptr<LibraryContext> context;
    cublasLtMatmulDesc_t what = nullptr;
    cublasLtMatrixLayout_t b_layout = nullptr, a_layout = nullptr, out_layout = nullptr;
    cublasLtMatmulAlgo_t algorithm{};

    Parts(GemmType type, int m_, int n_, int k_, std::unique_ptr<OwnOperands> own_, const GemmOperands& operands_,
          std::shared_ptr<LibraryContext> context_)
        : m(m_), n(n_), k(k_), own(std::move(own_)), operands(operands_), context(std::move(context_)) {
        describe(type);
        choose();
    }

    template <class T>
    void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
        check(cublasLtMatmulDescSetAttribute(what, attribute, &value, sizeof(value)), "describing a product");
    }

    void describe(GemmType type) {
        // Scales of 1x128 tiles stand by fours of rows (cuBLAS 13 documentation, cublasLtMatmul, block scaling).
        if (type == GemmType::fp8_block && m % 4 != 0)
            throw NotApplicable("cuBLASLt takes products with 1x128 scales by fours of rows");
        const cudaDataType_t element = type == GemmType::bf16 ? CUDA_R_16BF : CUDA_R_8F_E4M3;
        check(cublasLtMatmulDescCreate(&what, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a product");
        set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
        set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
        if (type != GemmType::bf16) {
            set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(operands.b_scales));
            set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, static_cast<const void*>(operands.a_scales));
        }
        // The rate of the tensor cores, not of sums promoted now and then: the library's default is off.
        if (type == GemmType::fp8_tensor) set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, std::int8_t{1});
        if (type == GemmType::fp8_block) {
            set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F);
            set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F);
        }
        check(cublasLtMatrixLayoutCreate(&b_layout, element, std::uint64_t(k), std::uint64_t(n), k), "describing B");
        check(cublasLtMatrixLayoutCreate(&a_layout, element, std::uint64_t(k), std::uint64_t(m), k), "describing A");
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
            context->parts_->handle, what, b_layout, a_layout, out_layout, out_layout, preference, 1, &found, &count);
        cublasLtMatmulPreferenceDestroy(preference);
        if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && count == 0))
            throw NotApplicable("cuBLASLt has no algorithm for this product on this card");
        check(status, "choosing an algorithm");
        algorithm = found.algo;
    }

    ~Parts() {
        cublasLtMatrixLayoutDestroy(out_layout);
        cublasLtMatrixLayoutDestroy(a_layout);
        cublasLtMatrixLayoutDestroy(b_layout);
        cublasLtMatmulDescDestroy(what);
    }
};

LibraryGemm::LibraryGemm(GemmType type, int m, int n, int k, std::uint64_t seed) {
    auto own = std::make_unique<OwnOperands>(type, m, n, k, seed);
    const GemmOperands operands = own->operands();
    parts_ = std::make_unique<Parts>(type, m, n, k, std::move(own), operands, std::make_shared<LibraryContext>());
}
LibraryGemm::LibraryGemm(GemmType type, int m, int n, int k, const GemmOperands& operands,
                         std::shared_ptr<LibraryContext> context)
    : parts_(std::make_unique<Parts>(type, m, n, k, nullptr, operands, std::move(context))) {}
LibraryGemm::LibraryGemm(LibraryGemm&&) noexcept = default;
LibraryGemm::~LibraryGemm() = default;

double LibraryGemm::flops() const { return 2.0 * parts_->m * parts_->n * parts_->k; }

void LibraryGemm::launch(cudaStream_t stream) {
    const float one = 1, zero = 0;
    const LibraryContext::Parts& context = *parts_->context->parts_;
    const GemmOperands& operands = parts_->operands;
    check(cublasLtMatmul(context.handle, parts_->what, &one, operands.b, parts_->b_layout, operands.a, parts_->a_layout,
                         &zero, operands.out, parts_->out_layout, operands.out, parts_->out_layout, &parts_->algorithm,
                         context.workspace.data(), kWorkspaceBytes, stream),
          "a product of cuBLASLt");
}

}  // namespace strata
