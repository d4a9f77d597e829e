#include "kernels/collective/kernels.hpp"

namespace strata {

std::vector<Kernel> collective_kernels() {
    std::vector<Kernel> all;
    for (const auto part : {dispatch_kernels, all_to_all_kernels})
        for (Kernel& kernel : part()) all.push_back(std::move(kernel));
    return all;
}

}  // namespace strata
