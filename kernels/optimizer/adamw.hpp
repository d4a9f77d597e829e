// AdamW (arXiv 1711.05101): decoupled weight decay, bias correction, over all tensors of a model in one launch.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct AdamW {
    double parameters = 0;
    double state_bytes = 4;  // of each moment: 4, or 2 where they are BF16
    bool master = true;      // an FP32 copy beside the BF16 parameter; false: the BF16 parameter is all there is

    // 28 B a parameter with FP32 moments and master: the gradient is read, master and moments are read and written, the
    // BF16 parameter is written only. 20 B with BF16 moments, 14 B without a master too.
    constexpr Work work() const {
        const double kept = (master ? 4 : 2) + 2 * state_bytes;
        return {.flops = Flops(0),
                .read = Bytes(parameters * (2 + kept)),
                .written = Bytes(parameters * (kept + (master ? 2 : 0)))};
    }
};

}  // namespace strata
