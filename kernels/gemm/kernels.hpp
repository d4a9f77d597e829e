#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> gemm_kernels();

// Its parts.
std::vector<Kernel> grouped_fp8_kernels();
std::vector<Kernel> dense_kernels();

}  // namespace strata
