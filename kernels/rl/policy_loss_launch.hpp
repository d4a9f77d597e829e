#pragma once

#include <cuda_runtime.h>

#include "kernels/rl/policy_loss_body.hpp"

namespace strata {

// Throw std::invalid_argument for a task they do not take, CudaError where a launch fails.
void group_advantage(const GroupAdvantageTask& task, cudaStream_t stream);
// Losses, then totals; without sequences the totals are zero.
void policy_loss(const PolicyLossTask& task, cudaStream_t stream);

}  // namespace strata
