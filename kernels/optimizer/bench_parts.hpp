// The kernels of each bench file of this family.
#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> adamw_kernels();

}  // namespace strata
