#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> collective_kernels();

// Of which collective_kernels() is made.
std::vector<Kernel> dispatch_kernels();
std::vector<Kernel> all_to_all_kernels();

}  // namespace strata
