#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"
#include "kernels/vision/page_resize_launch.hpp"

namespace strata {

namespace {

__global__ void __launch_bounds__(kResizeThreads) page_resize_kernel(PageResizeTask task) {
    DeviceThread t;
    page_resize(t, task);
}

}  // namespace

void page_resize(const PageResizeTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.images > 0) launch("page_resize", page_resize_kernel, grid_of(task), stream, task);
}

}  // namespace strata
