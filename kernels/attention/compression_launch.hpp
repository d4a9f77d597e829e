#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/compression_body.hpp"

namespace strata {

// Make compressed entries: CSA's (ratio 4, two paths of 512 channels), its index keys (two paths of 128), and HCA's
// (ratio 128, one path of 512). Throw std::invalid_argument for a task they do not take, CudaError where the launch
// fails. No entries: nothing is done.
void compress_csa(const CompressionTask& task, cudaStream_t stream);
void compress_csa_index_keys(const CompressionTask& task, cudaStream_t stream);
void compress_hca(const CompressionTask& task, cudaStream_t stream);

}  // namespace strata
