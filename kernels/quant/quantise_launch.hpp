#pragma once

#include <cuda_runtime.h>

#include "kernels/quant/quantise_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No rows: nothing is done.
void quantise_tiles(const QuantiseTilesTask& task, cudaStream_t stream);

}  // namespace strata
