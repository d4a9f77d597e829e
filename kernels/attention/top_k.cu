#include "kernels/attention/top_k_body.hpp"
#include "kernels/attention/top_k_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

// Three blocks an SM: one loads while others count. BF16, with twice the keys a load, would spill at that.
template <bool kStays, class T>
__global__ void __launch_bounds__(kTopKThreads, sizeof(T) == 4 ? 3 : 2) top_k_kernel(TopKTask<T> task) {
    DeviceThread t;
    top_k<kStays>(t, task);
}

template <class T>
void launch_top_k(const TopKTask<T>& asked, cudaStream_t stream) {
    require_valid(asked);
    if (asked.rows == 0) return;
    const TopKTask<T> task = planned(asked);
    launch("top_k", stays(task) ? top_k_kernel<true, T> : top_k_kernel<false, T>, grid_of(task), stream, task);
}

}  // namespace

void top_k(const TopKTask<float>& task, cudaStream_t stream) { launch_top_k(task, stream); }
void top_k(const TopKTask<Bf16>& task, cudaStream_t stream) { launch_top_k(task, stream); }

}  // namespace strata
