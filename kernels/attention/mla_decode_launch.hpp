#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/latent_plan.hpp"
#include "kernels/attention/mla_decode_task.hpp"

namespace strata {

// Of a planned task (`planned` says how large the buffers for partial results are; an unplanned one is planned first).
// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No queries: nothing is
// done.
void mla_decode(const MlaDecodeTask& task, cudaStream_t stream);

}  // namespace strata
