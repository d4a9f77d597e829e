#include "kernels/launch.cuh"
#include "kernels/mhc/mhc_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kMhcStreamThreads, 3) mhc_post_kernel(MhcPostTask task) {
    DeviceThread t;
    mhc_post(t, task);
}

__global__ void __launch_bounds__(kMhcStreamThreads) mhc_gather_kernel(MhcGatherTask task) {
    DeviceThread t;
    mhc_gather(t, task);
}

}  // namespace

void mhc_post(const MhcPostTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0) launch("mhc_post", mhc_post_kernel, grid_of(task), stream, task);
}

void mhc_gather(const MhcGatherTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0) launch("mhc_gather", mhc_gather_kernel, grid_of(task), stream, task);
}

}  // namespace strata
