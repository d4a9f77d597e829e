#pragma once

#include <cuda_runtime.h>

#include "kernels/moe/align_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails.
void align(const AlignTask& task, cudaStream_t stream);

}  // namespace strata
