// FP8 quantisation of BF16 activations in tiles of 1x128 and of weights in blocks of 128x128 (DeepSeek-V3, arXiv
// 2412.19437, section 3.3): one scale a tile, so that its largest magnitude becomes 448.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct QuantiseTiles {
    double rows = 0;
    double width = 0;
    double scale_bytes = 4;  // 1 where scales are UE8M0

    constexpr Work work() const {
        const double elements = rows * width;
        return {.flops = Flops(0), .read = Bytes(elements * 2), .written = Bytes(elements * (1 + scale_bytes / 128))};
    }
};

struct QuantiseBlocks {
    double rows = 0;
    double width = 0;
    double scale_bytes = 4;

    constexpr Work work() const {
        const double elements = rows * width;
        return {.flops = Flops(0),
                .read = Bytes(elements * 2),
                .written = Bytes(elements * (1 + scale_bytes / (128 * 128)))};
    }
};

}  // namespace strata
