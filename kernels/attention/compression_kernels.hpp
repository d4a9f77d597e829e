#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

// CSA's and HCA's compression of tokens into cache entries.
std::vector<Kernel> compression_kernels();

}  // namespace strata
