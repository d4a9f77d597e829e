#include "kernels/launch.cuh"
#include "kernels/mtp/speculative_draw_body.hpp"
#include "kernels/mtp/speculative_verify_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <class T>
__global__ void __launch_bounds__(kVerifyThreads, kStatisticsPlaces / 132)
    verify_statistics_kernel(VerifyTask<T> task) {
    DeviceThread t;
    verify_statistics(t, task);
}

template <class T>
__global__ void __launch_bounds__(kVerifyThreads, kStatisticsPlaces / 132) verify_best_kernel(VerifyTask<T> task) {
    DeviceThread t;
    verify_best(t, task);
}

template <class T>
__global__ void __launch_bounds__(kVerifyThreads, kMassesPlaces<T> / 132) verify_masses_kernel(VerifyTask<T> task) {
    DeviceThread t;
    verify_masses(t, task);
}

template <class T>
__global__ void __launch_bounds__(kVerifyThreads) verify_draw_kernel(VerifyTask<T> task) {
    DeviceThread t;
    verify_draw(t, task);
}

template <class T>
__global__ void __launch_bounds__(kVerifyThreads) verify_greedy_kernel(VerifyTask<T> task) {
    DeviceThread t;
    verify_greedy(t, task);
}

}  // namespace

template <class T>
void speculative_verify(const VerifyTask<T>& task, cudaStream_t stream) {
    require_valid(task);
    if (task.sequences == 0) return;
    if (task.greedy) {
        launch("verify_best", verify_best_kernel<T>, statistics_grid_of(task), stream, task);
        launch("verify_greedy", verify_greedy_kernel<T>, draw_grid_of(task), stream, task);
        return;
    }
    launch("verify_statistics", verify_statistics_kernel<T>, statistics_grid_of(task), stream, task);
    if (task.law != DraftLaw::certain)
        launch("verify_masses", verify_masses_kernel<T>, masses_grid_of(task), stream, task);
    launch("verify_draw", verify_draw_kernel<T>, draw_grid_of(task), stream, task);
}

template void speculative_verify(const VerifyTask<Bf16>&, cudaStream_t);
template void speculative_verify(const VerifyTask<float>&, cudaStream_t);

}  // namespace strata
