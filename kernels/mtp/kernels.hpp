#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> mtp_product_kernels();
std::vector<Kernel> mtp_kernels();  // all of them

}  // namespace strata
