#include "kernels/launch.cuh"
#include "kernels/mhc/mhc_launch.hpp"
#include "kernels/mhc/mhc_pre_body.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

// One block a multiprocessor: its registers hold fn, its shared memory the tokens.
template <class Plan>
__global__ void __launch_bounds__(Plan::kThreads, 1)
    mhc_pre_kernel(const __grid_constant__ MhcPreTask task, const __grid_constant__ MhcPreMaps maps) {
    DeviceThread t;
    mhc_pre<Plan>(t, task, maps);
}

// How many clusters of this kernel run at once here: fewer than an eighth of the blocks where a part of the GPU has
// fewer than sixteen multiprocessors.
template <class Plan>
int clusters_at_once() {
    check_cuda(cudaFuncSetAttribute(mhc_pre_kernel<Plan>, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
               "mhc_pre: a cluster of sixteen blocks");
    check_cuda(
        cudaFuncSetAttribute(mhc_pre_kernel<Plan>, cudaFuncAttributeMaxDynamicSharedMemorySize, int(Plan::kBytes)),
        "mhc_pre: shared memory");
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim = {kMhcCluster, 1, 1};
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(kMhcCluster, 1, 1);
    config.blockDim = dim3(Plan::kThreads, 1, 1);
    config.dynamicSmemBytes = Plan::kBytes;
    config.attrs = &attribute;
    config.numAttrs = 1;
    int clusters = 0;
    check_cuda(cudaOccupancyMaxActiveClusters(&clusters, mhc_pre_kernel<Plan>, &config), "mhc_pre: clusters at once");
    if (clusters < 1) throw std::runtime_error("mhc_pre: this GPU does not run clusters of sixteen blocks");
    return clusters;
}

}  // namespace

void mhc_pre(const MhcPreTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens == 0) return;
    with_plan(task, [&](auto plan) {
        using Plan = decltype(plan);
        static const int clusters = clusters_at_once<Plan>();  // of the first GPU used: all of a machine are alike
        Grid grid = grid_of(task);
        grid.blocks = std::min(grid.blocks, clusters * kMhcCluster);
        launch("mhc_pre", mhc_pre_kernel<Plan>, grid, stream, task, maps_of(task));
    });
}

}  // namespace strata
