#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> quant_kernels();

// Its parts.
std::vector<Kernel> quantise_tiles_kernels();
std::vector<Kernel> quantise_blocks_kernels();
std::vector<Kernel> swiglu_quantise_kernels();

}  // namespace strata
