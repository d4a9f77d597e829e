#pragma once

#include <cuda_runtime.h>

#include "kernels/moe/permute_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No rows: nothing is done.
void permute(const PermuteTask& task, cudaStream_t stream);

}  // namespace strata
