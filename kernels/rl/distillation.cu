#include "kernels/launch.cuh"
#include "kernels/rl/distillation_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class T>
__global__ void __launch_bounds__(kLogitsThreads, 5) distillation_kernel(DistillationTask<T> task) {
    DeviceThread t;
    distillation(t, task);
}

template <class T>
__global__ void __launch_bounds__(kLogitsThreads, 5) distillation_gradient_kernel(DistillationGradientTask<T> task) {
    DeviceThread t;
    distillation_gradient(t, task);
}

}  // namespace

template <class T>
void distillation(const DistillationTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0) launch("distillation", distillation_kernel<T>, grid_of(task), stream, task);
}

template <class T>
void distillation_gradient(const DistillationGradientTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens > 0) launch("distillation_gradient", distillation_gradient_kernel<T>, grid_of(task), stream, task);
}

template void distillation(const DistillationTask<Bf16>&, cudaStream_t);
template void distillation(const DistillationTask<float>&, cudaStream_t);
template void distillation_gradient(const DistillationGradientTask<Bf16>&, cudaStream_t);
template void distillation_gradient(const DistillationGradientTask<float>&, cudaStream_t);

}  // namespace strata
