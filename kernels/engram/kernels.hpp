#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> engram_kernels();

}  // namespace strata
