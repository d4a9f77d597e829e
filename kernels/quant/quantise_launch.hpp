#pragma once

#include <cuda_runtime.h>

#include "kernels/quant/quantise_blocks_body.hpp"
#include "kernels/quant/quantise_body.hpp"
#include "kernels/quant/swiglu_quantise_body.hpp"

namespace strata {

// Throw std::invalid_argument for a task they do not take, CudaError where the launch fails. No rows: nothing is done.
void quantise_tiles(const QuantiseTilesTask& task, cudaStream_t stream);
void quantise_blocks(const QuantiseBlocksTask& task, cudaStream_t stream);
void swiglu_quantise(const SwigluQuantiseTask& task, cudaStream_t stream);

}  // namespace strata
