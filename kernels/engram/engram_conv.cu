#include "kernels/engram/engram_conv_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <int packs>
__global__ void __launch_bounds__(kConvThreads, packs <= 2 ? 2 : 1) engram_conv_kernel(EngramConvTask task) {
    DeviceThread t;
    engram_conv<packs>(t, task);
}

}  // namespace

void engram_conv(const EngramConvTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens == 0 || task.sequences == 0) return;
    const int packs = conv_packs(task.hidden);
    const auto kernel = packs == 1 ? engram_conv_kernel<1> : packs == 2 ? engram_conv_kernel<2> : engram_conv_kernel<3>;
    launch("engram_conv", kernel, grid_of(task), stream, task);
}

}  // namespace strata
