#include "kernels/moe/kernels.hpp"

namespace strata {

std::vector<Kernel> moe_kernels() {
    std::vector<Kernel> all;
    for (const auto part : {router_kernels, align_kernels, permute_kernels})
        for (Kernel& kernel : part()) all.push_back(std::move(kernel));
    return all;
}

}  // namespace strata
