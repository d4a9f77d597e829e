#pragma once

#include <cuda_runtime.h>

#include "kernels/optimizer/adamw_body.hpp"

namespace strata {

// Each throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No chunks: nothing
// is done.
void adamw(const AdamWTask<float, true>& task, cudaStream_t stream);
void adamw(const AdamWTask<Bf16, true>& task, cudaStream_t stream);
void adamw(const AdamWTask<Bf16, false>& task, cudaStream_t stream);

}  // namespace strata
