// The kernels of each bench file of this family.
#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> engram_hash_kernels();
std::vector<Kernel> engram_gather_kernels();
std::vector<Kernel> engram_gate_kernels();
std::vector<Kernel> engram_copies_kernels();
std::vector<Kernel> engram_conv_kernels();

}  // namespace strata
