#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> mtp_kernels();

}  // namespace strata
