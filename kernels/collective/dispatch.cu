#include "kernels/collective/dispatch_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/moe/align_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kLayoutThreads) find_ranks_kernel(DispatchLayoutTask task) {
    DeviceThread t;
    find_ranks(t, task);
}

template <bool kFp8>
__global__ void __launch_bounds__(kPermuteMostThreads, 3) pack_kernel(PackTask task) {
    DeviceThread t;
    pack_tokens<kFp8>(t, task);
}

}  // namespace

void lay_out_dispatch(const DispatchLayoutTask& task, cudaStream_t stream) {
    require_valid(task);
    check_cuda(cudaMemsetAsync(task.expert_counts, 0, std::size_t(task.experts) * 4, stream), "find_ranks");
    if (task.tokens > 0) launch("find_ranks", find_ranks_kernel, grid_of(task), stream, task);
    align(order_of(task), stream);
}

void pack_tokens(const PackTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0)
        launch("pack_tokens", task.out_fp8 ? pack_kernel<true> : pack_kernel<false>, grid_of(task), stream, task);
}

}  // namespace strata
