#pragma once

#include <cuda_runtime.h>

#include "kernels/rl/distillation_body.hpp"

namespace strata {

// For Bf16 and float. Throw std::invalid_argument for a task they do not take, CudaError where the launch fails. No
// tokens: nothing is done.
template <class T>
void distillation(const DistillationTask<T>& task, cudaStream_t stream);

template <class T>
void distillation_gradient(const DistillationGradientTask<T>& task, cudaStream_t stream);

}  // namespace strata
