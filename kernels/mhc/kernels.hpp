#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> mhc_kernels();

// Its parts: the forms that mix (pre, fused, single pass), and those that only stream.
std::vector<Kernel> mhc_pre_kernels();
std::vector<Kernel> mhc_post_kernels();

}  // namespace strata
