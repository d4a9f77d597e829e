#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

Shape full_attention_shape(long batch, long heads, long queries, long keys, long key_dim, long value_dim);
// How attention of such a shape is made ready and measured: by cuDNN.
Prepared prepare_full_attention(const Shape& shape, int sets, std::uint64_t seed);
Bytes full_attention_bytes(const Shape& shape);

std::vector<Kernel> prefill_kernels();

}  // namespace strata
