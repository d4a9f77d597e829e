// Attention of every query over every key, in multi-head form: out = softmax(scale q k^T) v. A chunk of a prompt over
// the part that is cached already (MLA expanded to keys of 128 + 64 and values of 128), and the encoders of vision.
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct FullAttention {
    double batch = 1;
    double heads = 0;
    double queries = 0;
    double keys = 0;
    double key_dim = 0;
    double value_dim = 0;

    // BF16 in and out, each tensor once: keys of a head stay in the L2 between its queries. Softmax is not counted.
    constexpr Work work() const {
        const double rows = batch * heads;
        return {.flops = Flops(2 * rows * queries * keys * (key_dim + value_dim)),
                .read = Bytes(rows * (queries * key_dim + keys * (key_dim + value_dim)) * 2),
                .written = Bytes(rows * queries * value_dim * 2)};
    }
};

}  // namespace strata
