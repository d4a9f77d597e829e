#include "kernels/launch.cuh"
#include "kernels/moe/bias_update_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kBiasUpdateThreads) update_bias_kernel(BiasUpdateTask task) {
    DeviceThread t;
    update_bias(t, task);
}

}  // namespace

void update_bias(const BiasUpdateTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.experts > 0) launch("update_bias", update_bias_kernel, grid_of(task), stream, task);
}

}  // namespace strata
