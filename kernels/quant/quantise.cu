#include "kernels/launch.cuh"
#include "kernels/quant/quantise_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kQuantiseThreads, 8) quantise_tiles_kernel(QuantiseTilesTask task) {
    DeviceThread t;
    quantise_tiles(t, task);
}

template <int side>
__global__ void __launch_bounds__(kQuantiseBlocksThreads, 4) quantise_blocks_kernel(QuantiseBlocksTask task) {
    DeviceThread t;
    quantise_blocks<side>(t, task);
}

__global__ void __launch_bounds__(kSwigluThreads, 8) swiglu_quantise_kernel(SwigluQuantiseTask task) {
    DeviceThread t;
    swiglu_quantise(t, task);
}

}  // namespace

void quantise_tiles(const QuantiseTilesTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows > 0) launch("quantise_tiles", quantise_tiles_kernel, grid_of(task), stream, task);
}

void quantise_blocks(const QuantiseBlocksTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows > 0)
        launch("quantise_blocks", task.side == 128 ? quantise_blocks_kernel<128> : quantise_blocks_kernel<32>,
               grid_of(task), stream, task);
}

void swiglu_quantise(const SwigluQuantiseTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows > 0) launch("swiglu_quantise", swiglu_quantise_kernel, grid_of(task), stream, task);
}

}  // namespace strata
