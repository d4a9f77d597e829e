#pragma once

#include <cuda_runtime.h>

#include "kernels/moe/router_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No tokens: nothing is
// done.
void route(const RouteTask& task, cudaStream_t stream);

}  // namespace strata
