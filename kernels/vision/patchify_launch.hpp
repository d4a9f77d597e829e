#pragma once

#include <cuda_runtime.h>

#include "kernels/vision/patchify_body.hpp"

namespace strata {

// For std::uint8_t and Bf16 pixels. Throws std::invalid_argument for a task it does not take, CudaError where the
// launch fails. No images: nothing is done.
template <class T>
void patchify(const PatchifyTask<T>& task, cudaStream_t stream);

}  // namespace strata
