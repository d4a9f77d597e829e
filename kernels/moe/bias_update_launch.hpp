#pragma once

#include <cuda_runtime.h>

#include "kernels/moe/bias_update_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails.
void update_bias(const BiasUpdateTask& task, cudaStream_t stream);

}  // namespace strata
