// The emulator runs this project's kernels alone: what a library computes is not applicable here.
#include "kernels/bench/kernel.hpp"
#include "kernels/bench/library_plan.hpp"
#include "kernels/bench/library_product.hpp"

namespace strata {

namespace {

constexpr const char* kReason = "a library's kernel: it needs a GPU";

}  // namespace

struct LibraryPlan::Parts {};
LibraryPlan::LibraryPlan(const AttentionShape&, const std::string&) { throw NotApplicable(kReason); }
LibraryPlan::LibraryPlan(const ConvolutionShape&, const std::string&) { throw NotApplicable(kReason); }
LibraryPlan::LibraryPlan(LibraryPlan&&) noexcept = default;
LibraryPlan::~LibraryPlan() = default;
void LibraryPlan::launch(const std::vector<const void*>&, cudaStream_t) {}

struct LibraryProduct::Parts {};
LibraryProduct::LibraryProduct(const ProductShape&) { throw NotApplicable(kReason); }
LibraryProduct::LibraryProduct(LibraryProduct&&) noexcept = default;
LibraryProduct::~LibraryProduct() = default;
void LibraryProduct::launch(const Bf16*, const Bf16*, void*, cudaStream_t) {}

}  // namespace strata
