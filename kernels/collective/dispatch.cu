#include "kernels/collective/dispatch_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kAlignThreads, 1) layout_kernel(DispatchLayoutTask task) {
    DeviceThread t;
    lay_out_dispatch(t, task);
}

template <bool kFp8>
__global__ void __launch_bounds__(kFp8 ? kPackMostThreads : kPermuteThreads, kFp8 ? 3 : 1) pack_kernel(PackTask task) {
    DeviceThread t;
    pack_tokens<kFp8>(t, task);
}

}  // namespace

void lay_out_dispatch(const DispatchLayoutTask& task, cudaStream_t stream) {
    require_valid(task);
    launch("lay_out_dispatch", layout_kernel, grid_of(task), stream, task);  // no tokens: counts are still written
}

void pack_tokens(const PackTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0)
        launch("pack_tokens", task.out_fp8 ? pack_kernel<true> : pack_kernel<false>, grid_of(task), stream, task);
}

}  // namespace strata
