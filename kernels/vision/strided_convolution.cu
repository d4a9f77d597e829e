#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"
#include "kernels/vision/strided_convolution_launch.hpp"

namespace strata {

namespace {

using LargeTile = ConvolutionTile<2, 4>;  // 128 x 128
using SmallTile = ConvolutionTile<1, 2>;  // 64 x 64, where large ones would leave multiprocessors idle

template <class Tile>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kThreads == 64 ? 5 : 2)
    strided_convolution_kernel(StridedConvolutionTask task) {
    DeviceThread t;
    strided_convolution<Tile>(t, task);
}

constexpr int kEnoughBlocks = 132;  // the multiprocessors of an H100 or H200

}  // namespace

void strided_convolution(const StridedConvolutionTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.images == 0) return;
    const Grid large = convolution_grid_of<LargeTile>(task);
    if (large.blocks >= kEnoughBlocks)
        launch("strided_convolution", strided_convolution_kernel<LargeTile>, large, stream, task);
    else
        launch("strided_convolution", strided_convolution_kernel<SmallTile>, convolution_grid_of<SmallTile>(task),
               stream, task);
}

}  // namespace strata
