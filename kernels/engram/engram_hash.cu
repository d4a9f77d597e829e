#include "kernels/engram/engram_hash_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kEngramHashThreads) engram_hash_kernel(EngramHashTask task) {
    DeviceThread t;
    engram_hash(t, task);
}

}  // namespace

void engram_hash(const EngramHashTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.token_count > 0) launch("engram_hash", engram_hash_kernel, grid_of(task), stream, task);
}

}  // namespace strata
