#include "kernels/launch.cuh"
#include "kernels/optimizer/sinkhorn_momentum_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kSinkhornThreads, 1) sinkhorn_accumulate_kernel(SinkhornMomentumTask task) {
    DeviceThread t;
    sinkhorn_accumulate(t, task);
}

__global__ void __launch_bounds__(kSinkhornThreads, 1) sinkhorn_pass_kernel(SinkhornMomentumTask task) {
    DeviceThread t;
    sinkhorn_pass(t, task);
}

__global__ void __launch_bounds__(kSinkhornColumnThreads) sinkhorn_columns_kernel(SinkhornMomentumTask task) {
    DeviceThread t;
    sinkhorn_columns(t, task);
}

__global__ void __launch_bounds__(kSinkhornThreads, 1) sinkhorn_apply_kernel(SinkhornMomentumTask task) {
    DeviceThread t;
    sinkhorn_apply(t, task);
}

}  // namespace

void sinkhorn_momentum(const SinkhornMomentumTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows == 0) return;
    const Grid rows = sinkhorn_rows_grid(task), columns = sinkhorn_columns_grid();
    const int passes = (task.iterations - 1) / 2;
    launch("sinkhorn_accumulate", sinkhorn_accumulate_kernel, rows, stream, sinkhorn_walk(task, 0));
    for (int pass = 1; pass <= passes; ++pass) {
        launch("sinkhorn_pass", sinkhorn_pass_kernel, rows, stream, sinkhorn_walk(task, pass));
        launch("sinkhorn_columns", sinkhorn_columns_kernel, columns, stream, task);
    }
    launch("sinkhorn_apply", sinkhorn_apply_kernel, rows, stream, sinkhorn_walk(task, passes + 1));
}

}  // namespace strata
