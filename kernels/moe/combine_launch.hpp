#pragma once

#include <cuda_runtime.h>

#include "kernels/moe/combine_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No rows: nothing is done.
void combine(const CombineTask& task, cudaStream_t stream);

}  // namespace strata
