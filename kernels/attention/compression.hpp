// Compression of V4's attention (arXiv 2606.19348, section 2.3; facts v4.md 3.2): the tokens of a group become one KV
// entry, each channel weighed by its own softmax over them.
//   CSA: ratio 4; entry i weighs the rows of path a of group i and those of path b of group i - 1
//   HCA: ratio 128, one path
// Index keys come about as CSA's entries do, with 128 channels.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct Compression {
    double entries = 0;
    double ratio = 4;          // tokens of a group
    double paths = 2;          // CSA 2, HCA 1
    double channels = 512;     // index keys: 128
    double entry_bytes = 584;  // as stored, with scales; index keys: 132

    // Values and scores are FP32, as released, and each is read once: a path of a token serves one entry. The biases
    // stay in the L2 and are not counted; nor is the softmax, which runs beside the reading.
    constexpr Work work() const {
        return {.flops = Flops(0),
                .read = Bytes(entries * ratio * paths * channels * 2 * 4),
                .written = Bytes(entries * entry_bytes)};
    }
};

}  // namespace strata
