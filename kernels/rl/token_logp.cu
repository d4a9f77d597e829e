#include "kernels/launch.cuh"
#include "kernels/rl/token_logp_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class T>
__global__ void __launch_bounds__(kLogitsThreads, 5) token_logp_kernel(TokenLogpTask<T> task) {
    DeviceThread t;
    token_logp(t, task);
}

template <class T>
__global__ void __launch_bounds__(kLogitsThreads, 4) token_logp_gradient_kernel(TokenLogpGradientTask<T> task) {
    DeviceThread t;
    token_logp_gradient(t, task);
}

}  // namespace

template <class T>
void token_logp(const TokenLogpTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0) launch("token_logp", token_logp_kernel<T>, grid_of(task), stream, task);
}

template <class T>
void token_logp_gradient(const TokenLogpGradientTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0) launch("token_logp_gradient", token_logp_gradient_kernel<T>, grid_of(task), stream, task);
}

template void token_logp(const TokenLogpTask<Bf16>&, cudaStream_t);
template void token_logp(const TokenLogpTask<float>&, cudaStream_t);
template void token_logp_gradient(const TokenLogpGradientTask<Bf16>&, cudaStream_t);
template void token_logp_gradient(const TokenLogpGradientTask<float>&, cudaStream_t);

}  // namespace strata
