#include "kernels/engram/engram_gather_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kEngramGatherThreads) engram_gather_kernel(EngramGatherTask task) {
    DeviceThread t;
    engram_gather(t, task);
}

__global__ void __launch_bounds__(kEngramGatherThreads) engram_split_gather_kernel(EngramSplitGatherTask task) {
    DeviceThread t;
    engram_split_gather(t, task);
}

__global__ void __launch_bounds__(kEngramGatherThreads) engram_cached_gather_kernel(EngramCachedGatherTask task) {
    DeviceThread t;
    engram_cached_gather(t, task);
}

__global__ void __launch_bounds__(kEngramGatherThreads) engram_cache_fill_kernel(EngramCacheFillTask task) {
    DeviceThread t;
    engram_cache_fill(t, task);
}

}  // namespace

void engram_gather(const EngramGatherTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows > 0) launch("engram_gather", engram_gather_kernel, grid_of(task), stream, task);
}

void engram_split_gather(const EngramSplitGatherTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.gather.rows > 0) launch("engram_split_gather", engram_split_gather_kernel, grid_of(task), stream, task);
}

void engram_cached_gather(const EngramCachedGatherTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.gather.rows > 0) launch("engram_cached_gather", engram_cached_gather_kernel, grid_of(task), stream, task);
}

void engram_cache_fill(const EngramCacheFillTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.slots > 0) launch("engram_cache_fill", engram_cache_fill_kernel, grid_of(task), stream, task);
}

}  // namespace strata
