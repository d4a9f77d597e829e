#pragma once

#include <cuda_runtime.h>

#include "kernels/vision/pixel_unshuffle_body.hpp"

namespace strata {

// Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No images: nothing is
// done.
void pixel_unshuffle(const PixelUnshuffleTask& task, cudaStream_t stream);

}  // namespace strata
