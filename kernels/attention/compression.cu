#include "kernels/attention/compression_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class Plan>
__global__ void __launch_bounds__(Plan::kThreads) compress_kernel(CompressionTask task) {
    DeviceThread t;
    compress<Plan>(t, task);
}

template <class Plan>
void launch_compression(const char* name, const CompressionTask& task, cudaStream_t stream) {
    require_valid<Plan>(task);
    if (task.entries > 0) launch(name, compress_kernel<Plan>, grid_of<Plan>(task), stream, task);
}

}  // namespace

void compress_csa(const CompressionTask& task, cudaStream_t stream) {
    launch_compression<CsaPlan>("compress_csa", task, stream);
}

void compress_csa_index_keys(const CompressionTask& task, cudaStream_t stream) {
    launch_compression<CsaIndexPlan>("compress_csa_index_keys", task, stream);
}

void compress_hca(const CompressionTask& task, cudaStream_t stream) {
    launch_compression<HcaPlan>("compress_hca", task, stream);
}

}  // namespace strata
