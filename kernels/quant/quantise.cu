#include "kernels/launch.cuh"
#include "kernels/quant/quantise_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kQuantiseThreads) quantise_tiles_kernel(QuantiseTilesTask task) {
    DeviceThread t;
    quantise_tiles(t, task);
}

}  // namespace

void quantise_tiles(const QuantiseTilesTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows > 0) launch("quantise_tiles", quantise_tiles_kernel, grid_of(task), stream, task);
}

}  // namespace strata
