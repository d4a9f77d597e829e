#include "kernels/attention/top_k_body.hpp"
#include "kernels/attention/top_k_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <TopKHold hold, class T>
__global__ void __launch_bounds__(TopKBlock<hold>::kThreads, TopKBlock<hold>::kAnSm) top_k_kernel(TopKTask<T> task) {
    DeviceThread t;
    top_k<hold>(t, task);
}

template <class T>
auto kernel_of(TopKHold hold) {
    switch (hold) {
        case TopKHold::little: return top_k_kernel<TopKHold::little, T>;
        case TopKHold::much: return top_k_kernel<TopKHold::much, T>;
        default: return top_k_kernel<TopKHold::nothing, T>;
    }
}

template <class T>
void launch_top_k(const TopKTask<T>& asked, cudaStream_t stream) {
    require_valid(asked);
    if (asked.rows == 0) return;
    const TopKTask<T> task = planned(asked);
    launch("top_k", kernel_of<T>(task.hold), grid_of(task), stream, task);
}

}  // namespace

void top_k(const TopKTask<float>& task, cudaStream_t stream) { launch_top_k(task, stream); }
void top_k(const TopKTask<Bf16>& task, cudaStream_t stream) { launch_top_k(task, stream); }

}  // namespace strata
