#pragma once

#include <cuda_runtime.h>

#include "kernels/mhc/mhc_pre_task.hpp"

namespace strata {

// Throw std::invalid_argument for a task they do not take, CudaError where the launch fails. No tokens: nothing is
// done. mhc_pre asks once how many clusters of sixteen blocks this GPU runs at once and takes at most that many.
void mhc_post(const MhcPostTask& task, cudaStream_t stream);
void mhc_gather(const MhcGatherTask& task, cudaStream_t stream);
void mhc_pre(const MhcPreTask& task, cudaStream_t stream);

}  // namespace strata
