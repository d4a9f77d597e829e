#pragma once

#include <cuda_runtime.h>

#include "kernels/optimizer/sinkhorn_momentum_body.hpp"

namespace strata {

// Launches 2 + (iterations - 1) kernels. Throws std::invalid_argument for a task it does not take, CudaError where a
// launch fails. No rows: nothing is done. `task.error` is set on the GPU and read by the caller when it likes.
void sinkhorn_momentum(const SinkhornMomentumTask& task, cudaStream_t stream);

}  // namespace strata
