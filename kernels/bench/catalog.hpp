#pragma once

#include <vector>

#include "kernels/bench/kernel.hpp"

namespace strata {

// Every kernel there is, the most valuable measurements first.
std::vector<Kernel> every_kernel();

}  // namespace strata
