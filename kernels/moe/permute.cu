#include "kernels/launch.cuh"
#include "kernels/moe/permute_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kPermuteThreads) permute_kernel(PermuteTask task) {
    DeviceThread t;
    permute(t, task);
}

}  // namespace

void permute(const PermuteTask& task, cudaStream_t stream) {
    require_valid(task);
    if (grid_of(task).blocks > 0) launch("permute", permute_kernel, grid_of(task), stream, task);
}

}  // namespace strata
