#include "kernels/launch.cuh"
#include "kernels/optimizer/adamw_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class State, bool has_master>
__global__ void __launch_bounds__(kAdamWThreads, 4) adamw_kernel(AdamWTask<State, has_master> task, AdamWStep step) {
    DeviceThread t;
    adamw(t, task, step);
}

template <class State, bool has_master>
void launch_adamw(const AdamWTask<State, has_master>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.chunk_count > 0)
        launch("adamw", adamw_kernel<State, has_master>, grid_of(task), stream, task, step_of(task));
}

}  // namespace

void adamw(const AdamWTask<float, true>& task, cudaStream_t stream) { launch_adamw(task, stream); }
void adamw(const AdamWTask<Bf16, true>& task, cudaStream_t stream) { launch_adamw(task, stream); }
void adamw(const AdamWTask<Bf16, false>& task, cudaStream_t stream) { launch_adamw(task, stream); }

}  // namespace strata
