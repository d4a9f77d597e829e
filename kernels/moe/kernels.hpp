#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> moe_kernels();

// Of which moe_kernels() is made.
std::vector<Kernel> router_kernels();
std::vector<Kernel> align_kernels();
std::vector<Kernel> permute_kernels();

}  // namespace strata
