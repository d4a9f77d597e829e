#include "kernels/gemm/grouped_fp8_body.hpp"
#include "kernels/gemm/grouped_fp8_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class Tile>
__global__ void __launch_bounds__(kGroupedFp8Threads, 1)
    grouped_fp8_kernel(const __grid_constant__ GroupedFp8Operands task) {
    DeviceThread t;
    grouped_fp8<Tile>(t, task);
}

}  // namespace

void grouped_fp8(const GroupedFp8Task& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows == 0) return;
    with_tile_of(task, [&](auto tile) {
        launch("grouped_fp8", grouped_fp8_kernel<decltype(tile)>, grid_of(task, tile), stream, operands_of(task, tile));
    });
}

}  // namespace strata
