// The kernels of each bench file of this family.
#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> adamw_kernels();
std::vector<Kernel> sinkhorn_momentum_kernels();
std::vector<Kernel> muon_kernels();
std::vector<Kernel> newton_schulz_kernels();

}  // namespace strata
