#include "kernels/launch.cuh"
#include "kernels/moe/align_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kAlignThreads, 1) align_kernel(AlignTask task) {
    DeviceThread t;
    align(t, task);
}

}  // namespace

void align(const AlignTask& task, cudaStream_t stream) {
    require_valid(task);
    launch("align", align_kernel, grid_of(task), stream, task);  // no pairs: counts and offsets are still written
}

}  // namespace strata
