#include "kernels/launch.cuh"
#include "kernels/optimizer/muon_launch.hpp"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

__global__ void __launch_bounds__(kMuonThreads) muon_accumulate_kernel(MuonTask task) {
    DeviceThread t;
    muon_accumulate(t, task);
}

__global__ void __launch_bounds__(kMuonThreads) muon_normalise_kernel(MuonTask task) {
    DeviceThread t;
    muon_normalise(t, task);
}

__global__ void __launch_bounds__(kMuonThreads) muon_apply_kernel(MuonTask task, float step) {
    DeviceThread t;
    muon_apply(t, task, step);
}

}  // namespace

void muon_direction(const MuonTask& task, cudaStream_t stream) {
    require_valid_before(task);
    if (is_empty(task)) return;
    launch("muon_accumulate", muon_accumulate_kernel, muon_accumulate_grid(task), stream, task);
    launch("muon_normalise", muon_normalise_kernel, muon_tiles_grid(task), stream, task);
}

void muon_apply(const MuonTask& task, cudaStream_t stream) {
    require_valid_after(task);
    if (is_empty(task)) return;
    const float step = task.rate * update_scale(task.scale, task.rows, task.columns);
    launch("muon_apply", muon_apply_kernel, muon_tiles_grid(task), stream, task, step);
}

}  // namespace strata
