#pragma once

#include "kernels/bench/kernel.hpp"

namespace strata {

// Top-k of the indexer's logits, and the coarse selection of token groups.
std::vector<Kernel> selection_kernels();

}  // namespace strata
