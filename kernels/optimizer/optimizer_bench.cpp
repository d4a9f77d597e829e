#include "kernels/optimizer/bench_parts.hpp"
#include "kernels/optimizer/kernels.hpp"

namespace strata {

std::vector<Kernel> optimizer_kernels() {
    std::vector<Kernel> all;
    for (const auto part : {adamw_kernels, sinkhorn_momentum_kernels, muon_kernels, newton_schulz_kernels}) {
        std::vector<Kernel> kernels = part();
        all.insert(all.end(), kernels.begin(), kernels.end());
    }
    return all;
}

}  // namespace strata
