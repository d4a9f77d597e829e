#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> quant_kernels();

}  // namespace strata
