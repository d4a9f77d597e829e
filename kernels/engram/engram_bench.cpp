#include "kernels/engram/bench_parts.hpp"
#include "kernels/engram/kernels.hpp"

namespace strata {

std::vector<Kernel> engram_kernels() {
    std::vector<Kernel> all;
    for (const auto part : {engram_hash_kernels, engram_gather_kernels, engram_copies_kernels, engram_gate_kernels,
                            engram_conv_kernels}) {
        std::vector<Kernel> kernels = part();
        all.insert(all.end(), kernels.begin(), kernels.end());
    }
    return all;
}

}  // namespace strata
