#include "kernels/launch.cuh"
#include "kernels/moe/combine_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kCombineThreads, 8) combine_kernel(CombineTask task) {
    DeviceThread t;
    combine(t, task);
}

}  // namespace

void combine(const CombineTask& task, cudaStream_t stream) {
    require_valid(task);
    if (grid_of(task).blocks > 0) launch("combine", combine_kernel, grid_of(task), stream, task);
}

}  // namespace strata
