// The two large products around a multi-token-prediction block (DeepSeek-V3, arXiv 2412.19437, section 2.2), both BF16:
// the projection of the last hidden state beside the next token's embedding, 2 hidden -> hidden, and the main model's
// head, whose logits go to the verification of drafts in FP32. Both run in cuBLASLt; the norms before are not theirs.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct MtpHead {
    double tokens = 0;
    double hidden = 0;
    double vocabulary = 0;

    constexpr Work work() const {
        return {.flops = Flops(2 * tokens * vocabulary * hidden),
                .read = Bytes((tokens + vocabulary) * hidden * 2),
                .written = Bytes(tokens * vocabulary * 4)};
    }
};

struct MtpProjection {
    double tokens = 0;
    double hidden = 0;

    constexpr Work work() const {
        return {.flops = Flops(2 * tokens * hidden * 2 * hidden),
                .read = Bytes((tokens + hidden) * 2 * hidden * 2),
                .written = Bytes(tokens * hidden * 2)};
    }
};

}  // namespace strata
