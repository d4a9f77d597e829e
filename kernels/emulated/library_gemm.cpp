// The emulator has no libraries: benches of their products say so, and do without them as baselines.
#include "kernels/bench/library_gemm.hpp"

#include "kernels/bench/kernel.hpp"

namespace strata {

struct LibraryContext::Parts {};
struct LibraryGemm::Parts {};

LibraryContext::LibraryContext() { throw NotApplicable("cuBLASLt runs on a GPU only"); }
LibraryContext::~LibraryContext() = default;
LibraryGemm::LibraryGemm(GemmType, int, int, int, std::uint64_t) { throw NotApplicable("cuBLASLt runs on a GPU only"); }
LibraryGemm::LibraryGemm(GemmType, int, int, int, const GemmOperands&, std::shared_ptr<LibraryContext>) {
    throw NotApplicable("cuBLASLt runs on a GPU only");
}
LibraryGemm::LibraryGemm(LibraryGemm&&) noexcept = default;
LibraryGemm::~LibraryGemm() = default;
void LibraryGemm::launch(cudaStream_t) {}
double LibraryGemm::flops() const { return 0; }

}  // namespace strata
