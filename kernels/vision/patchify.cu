#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"
#include "kernels/vision/patchify_launch.hpp"

namespace strata {

namespace {

template <class T>
__global__ void __launch_bounds__(kPatchThreads) patchify_kernel(PatchifyTask<T> task) {
    DeviceThread t;
    patchify(t, task);
}

}  // namespace

template <class T>
void patchify(const PatchifyTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.images > 0) launch("patchify", patchify_kernel<T>, grid_of(task), stream, task);
}

template void patchify(const PatchifyTask<std::uint8_t>&, cudaStream_t);
template void patchify(const PatchifyTask<Bf16>&, cudaStream_t);

}  // namespace strata
