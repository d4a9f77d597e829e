// Balancing without an auxiliary loss (DeepSeek-V3, arXiv 2412.19437, section 2.1.2): after a step the bias of an
// expert with less than the mean load grows by a fixed speed, and of one with more it falls.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct BiasUpdate {
    double experts = 0;

    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(experts * 8), .written = Bytes(experts * 4)};
    }
};

}  // namespace strata
