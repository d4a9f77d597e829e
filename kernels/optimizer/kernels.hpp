#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> optimizer_kernels();

}  // namespace strata
