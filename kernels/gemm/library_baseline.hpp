// The product of cuBLASLt as a baseline. Where there is no library (the emulator), or no algorithm on this card, a
// kernel has no baseline, and its record says so by having none.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernels/bench/kernel.hpp"
#include "kernels/bench/library_gemm.hpp"

namespace strata {

// products_of(set, context): the products that one launch runs one after the other.
inline std::vector<Baseline> library_baseline(
    const std::string& name, int sets,
    const std::function<std::vector<LibraryGemm>(int set, std::shared_ptr<LibraryContext>)>& products_of) {
    try {
        const auto context = std::make_shared<LibraryContext>();
        auto products = std::make_shared<std::vector<std::vector<LibraryGemm> > >();
        for (int set = 0; set < sets; ++set) products->push_back(products_of(set, context));
        return {{name, [products](int set, cudaStream_t stream) {
                     for (LibraryGemm& product : (*products)[std::size_t(set)]) product.launch(stream);
                 }}};
    } catch (const NotApplicable&) {
        return {};
    }
}

}  // namespace strata
