#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/coarse_selection_body.hpp"

namespace strata {

// The candidate blocks of each row: two launches. Throws std::invalid_argument for a task it does not take, CudaError
// where a launch fails. No rows or no columns: nothing is done.
void select_blocks(const CoarseTask<float>& task, cudaStream_t stream);
void select_blocks(const CoarseTask<Bf16>& task, cudaStream_t stream);

}  // namespace strata
