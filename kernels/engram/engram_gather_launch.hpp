#pragma once

#include <cuda_runtime.h>

#include "kernels/engram/engram_cache_body.hpp"
#include "kernels/engram/engram_gather_body.hpp"

namespace strata {

// Each throws std::invalid_argument for a task it does not take and CudaError where the launch fails. No rows: nothing
// is done.
void engram_gather(const EngramGatherTask& task, cudaStream_t stream);
void engram_split_gather(const EngramSplitGatherTask& task, cudaStream_t stream);
void engram_cached_gather(const EngramCachedGatherTask& task, cudaStream_t stream);
void engram_cache_fill(const EngramCacheFillTask& task, cudaStream_t stream);

}  // namespace strata
