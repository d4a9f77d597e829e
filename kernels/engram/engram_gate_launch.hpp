#pragma once

#include <cuda_runtime.h>

#include "kernels/engram/engram_gate_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No tokens: nothing is
// done.
void engram_gate(const EngramGateTask& task, cudaStream_t stream);

}  // namespace strata
