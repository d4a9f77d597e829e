#pragma once

#include <cuda_runtime.h>

#include "kernels/engram/engram_conv_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No tokens: nothing is
// done. `task.error` is set on the GPU and read by the caller when it likes.
void engram_conv(const EngramConvTask& task, cudaStream_t stream);

}  // namespace strata
