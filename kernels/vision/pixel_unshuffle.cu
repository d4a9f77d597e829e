#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"
#include "kernels/vision/pixel_unshuffle_launch.hpp"

namespace strata {

namespace {

__global__ void __launch_bounds__(kUnshuffleThreads) pixel_unshuffle_kernel(PixelUnshuffleTask task) {
    DeviceThread t;
    pixel_unshuffle(t, task);
}

}  // namespace

void pixel_unshuffle(const PixelUnshuffleTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.images > 0) launch("pixel_unshuffle", pixel_unshuffle_kernel, grid_of(task), stream, task);
}

}  // namespace strata
