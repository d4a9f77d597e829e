#include "kernels/launch.cuh"
#include "kernels/rl/policy_loss_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kPolicyThreads) group_advantage_kernel(GroupAdvantageTask task) {
    DeviceThread t;
    group_advantage(t, task);
}

__global__ void __launch_bounds__(kPolicyThreads) policy_loss_kernel(PolicyLossTask task) {
    DeviceThread t;
    policy_loss(t, task);
}

__global__ void __launch_bounds__(kPolicyThreads) policy_totals_kernel(PolicyLossTask task) {
    DeviceThread t;
    policy_totals(t, task);
}

}  // namespace

void group_advantage(const GroupAdvantageTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.groups > 0) launch("group_advantage", group_advantage_kernel, grid_of(task), stream, task);
}

void policy_loss(const PolicyLossTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.sequences > 0) launch("policy_loss", policy_loss_kernel, grid_of(task), stream, task);
    launch("policy_totals", policy_totals_kernel, totals_grid_of(task), stream, task);
}

}  // namespace strata
