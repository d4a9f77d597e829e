#pragma once

#include <cuda_runtime.h>

#include "kernels/optimizer/newton_schulz.hpp"

namespace strata {

// Throw std::invalid_argument for a task they do not take, CudaError where a launch fails. Nothing to make: nothing is
// done.
void scaled_product(const ScaledProductTask& task, ProductForm form, cudaStream_t stream);
void newton_schulz(const NewtonSchulzTask& task, cudaStream_t stream);  // three launches a step

}  // namespace strata
