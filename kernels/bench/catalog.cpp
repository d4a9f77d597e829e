#include "kernels/bench/catalog.hpp"

#include "kernels/mhc/kernels.hpp"
#include "kernels/quant/kernels.hpp"

namespace strata {

std::vector<Kernel> every_kernel() {
    std::vector<Kernel> all;
    for (const auto family : {mhc_kernels, quant_kernels}) {
        std::vector<Kernel> kernels = family();
        all.insert(all.end(), std::make_move_iterator(kernels.begin()), std::make_move_iterator(kernels.end()));
    }
    return all;
}

}  // namespace strata
