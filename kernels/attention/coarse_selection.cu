#include "kernels/attention/coarse_selection_launch.hpp"
#include "kernels/attention/top_k_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class T>
__global__ void __launch_bounds__(kCoarseThreads) block_maxima_kernel(CoarseTask<T> task) {
    DeviceThread t;
    block_maxima(t, task);
}

template <class T>
void launch_selection(const CoarseTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.rows == 0) return;
    if (task.columns == 0) {  // nothing to choose from: -1 everywhere
        if (!task.candidates) return;
        const std::size_t bytes = std::size_t(task.rows) * std::size_t(task.most_blocks) * sizeof(*task.candidates);
        return check_cuda(cudaMemsetAsync(task.candidates, 0xFF, bytes, stream), "coarse_selection");
    }
    launch("block_maxima", block_maxima_kernel<T>, grid_of(task), stream, task);
    top_k(selection_of(task), stream);
}

}  // namespace

void select_blocks(const CoarseTask<float>& task, cudaStream_t stream) { launch_selection(task, stream); }
void select_blocks(const CoarseTask<Bf16>& task, cudaStream_t stream) { launch_selection(task, stream); }

}  // namespace strata
