#pragma once

#include <cuda_runtime.h>

#include "kernels/mtp/speculative_verify_task.hpp"

namespace strata {

// For Bf16 and float: three launches, two for greedy decoding. Throws std::invalid_argument for a task it does not
// take, CudaError where a launch fails. No sequences: nothing is done.
template <class T>
void speculative_verify(const VerifyTask<T>& task, cudaStream_t stream);

}  // namespace strata
