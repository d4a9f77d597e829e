#include "kernels/engram/engram_gate_launch.hpp"
#include "kernels/launch.cuh"
#include "kernels/simt/device_thread.cuh"

namespace strata {

namespace {

template <int packs>
__global__ void __launch_bounds__(kGateMostStreams* kGateThreadsPerStream, 1) engram_gate_kernel(EngramGateTask task) {
    DeviceThread t;
    engram_gate<packs>(t, task);
}

}  // namespace

void engram_gate(const EngramGateTask& task, cudaStream_t stream) {
    require_valid(task);
    if (task.tokens == 0) return;
    const int packs = gate_packs(task.hidden);
    const auto kernel = packs == 3 ? engram_gate_kernel<3> : packs == 5 ? engram_gate_kernel<5> : engram_gate_kernel<8>;
    launch("engram_gate", kernel, grid_of(task), stream, task);
}

}  // namespace strata
