#include "kernels/engram/engram_conv_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

constexpr int most_threads(int packs) { return packs == 1 ? 640 : 256; }  // conv_threads of 5120 and 7680

template <int packs>
__global__ void __launch_bounds__(most_threads(packs), 1) engram_conv_kernel(EngramConvTask task) {
    DeviceThread t;
    engram_conv<packs>(t, task);
}

template <int packs>
__global__ void __launch_bounds__(most_threads(packs), 1) engram_conv_decode_kernel(EngramConvTask task) {
    DeviceThread t;
    engram_conv_decode<packs>(t, task);
}

}  // namespace

void engram_conv(const EngramConvTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens == 0 || task.sequences == 0) return;
    const bool one_pack = conv_packs(task.hidden) == 1;
    if (is_decode(task))
        launch("engram_conv", one_pack ? engram_conv_decode_kernel<1> : engram_conv_decode_kernel<4>, grid_of(task),
               stream, task);
    else
        launch("engram_conv", one_pack ? engram_conv_kernel<1> : engram_conv_kernel<4>, grid_of(task), stream, task);
}

}  // namespace strata
