// The kernels around latent attention's body, for either kind of task.
#pragma once

#include "kernels/attention/latent_combine_body.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

// One block fills a multiprocessor's shared memory: it may have all registers too.
template <LatentFormat format, class Task>
__global__ void __launch_bounds__(latent_threads(format), 1)
    latent_attention_kernel(const __grid_constant__ Task task) {
    DeviceThread t;
    latent_attention<format>(t, task);
}

template <class Task>
__global__ void __launch_bounds__(kCombineThreads) latent_combine_kernel(const __grid_constant__ Task task) {
    DeviceThread t;
    latent_combine(t, task);
}

template <class Task>
auto* latent_kernel_of(LatentFormat format) {
    switch (format) {
        case LatentFormat::bf16_512: return latent_attention_kernel<LatentFormat::bf16_512, Task>;
        case LatentFormat::v32_fp8: return latent_attention_kernel<LatentFormat::v32_fp8, Task>;
        case LatentFormat::v4_fp8: return latent_attention_kernel<LatentFormat::v4_fp8, Task>;
        case LatentFormat::bf16_576: break;
    }
    return latent_attention_kernel<LatentFormat::bf16_576, Task>;
}

template <class Task>
void launch_latent_attention(const char* name, const Task& asked, cudaStream_t stream) {
    require_valid(asked);
    const Task task = planned(asked);
    require_partials(task.queries, name);
    if (task.queries.tokens == 0) return;
    launch(name, latent_kernel_of<Task>(task.format), grid_of(task), stream, task);
    if (task.queries.splits > 1)
        launch("latent_combine", latent_combine_kernel<Task>, combine_grid_of(task), stream, task);
}

}  // namespace strata
