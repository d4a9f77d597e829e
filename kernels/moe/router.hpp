// The router of a mixture of experts: the scores of a token's experts, the k best of them and their weights
// (DeepSeek-V3, arXiv 2412.19437, section 2.1.2).
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct Router {
    double tokens = 0;
    double experts = 0;
    double top_k = 0;

    // Logits in, (expert, weight) out; the bias and the arithmetic of a few numbers a logit are not counted.
    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(tokens * experts * 4), .written = Bytes(tokens * top_k * 8)};
    }
};

}  // namespace strata
