#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

std::vector<Kernel> token_logp_kernels();
std::vector<Kernel> policy_loss_kernels();
std::vector<Kernel> distillation_kernels();
std::vector<Kernel> rl_kernels();  // all of them

}  // namespace strata
