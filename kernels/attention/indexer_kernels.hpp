#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

// Logits of the lightning indexer, in prefill and in decoding.
std::vector<Kernel> indexer_kernels();

}  // namespace strata
