#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

// Dense decoding over latent caches, and attention to listed entries of them.
std::vector<Kernel> mla_decode_kernels();
std::vector<Kernel> sparse_mla_kernels();

}  // namespace strata
