#pragma once

#include <cuda_runtime.h>

#include "kernels/gemm/grouped_fp8_task.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No rows: nothing is done.
void grouped_fp8(const GroupedFp8Task& task, cudaStream_t stream);

}  // namespace strata
