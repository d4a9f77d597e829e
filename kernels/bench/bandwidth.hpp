// Launches that do nothing but move bytes: the ceilings are measured with them.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace strata {

// Sixteen bytes a load, eight loads in flight a thread. `bytes` is a multiple of 16.
void copy_bytes(void* to, const void* from, std::int64_t bytes, cudaStream_t stream);
void read_bytes(const void* from, std::int64_t bytes, float* sink, int blocks, cudaStream_t stream);

// Reads `count` rows of row_bytes (a multiple of 16) at places drawn from the seed out of table_rows.
void read_random_rows(const void* table, std::int64_t table_rows, std::int64_t row_bytes, std::int64_t count,
                      std::uint64_t seed, float* sink, int blocks, cudaStream_t stream);

}  // namespace strata
