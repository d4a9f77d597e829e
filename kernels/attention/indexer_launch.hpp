#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/indexer_task.hpp"

namespace strata {

// The logits of queries for keys in one array, or in pages; with the maxima of each block of 8 where the task wants
// them. Throws std::invalid_argument for a task it does not take, CudaError where the launch fails. No rows or no
// columns: nothing is done.
void indexer_logits(const IndexerTask& task, const IndexerKeys& keys, cudaStream_t stream);
void indexer_logits(const IndexerTask& task, const PagedIndexerKeys& keys, cudaStream_t stream);

}  // namespace strata
