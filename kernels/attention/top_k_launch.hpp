#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/top_k_task.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No rows: nothing is done.
void top_k(const TopKTask<float>& task, cudaStream_t stream);
void top_k(const TopKTask<Bf16>& task, cudaStream_t stream);

}  // namespace strata
