#pragma once

#include <cuda_runtime.h>

#include "kernels/collective/dispatch_body.hpp"

namespace strata {

// Both throw std::invalid_argument for a task they do not take, CudaError where a launch fails.
void lay_out_dispatch(const DispatchLayoutTask& task, cudaStream_t stream);
void pack_tokens(const PackTask& task, cudaStream_t stream);  // no tokens: nothing is done

}  // namespace strata
