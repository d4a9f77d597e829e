// The lightning indexer of sparse attention: I[t][s] = sum_h w[t][h] * relu(q[t][h] . k[s]), then the best k of each
// row (DeepSeek-V3.2-Exp, equation 1).
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct IndexerLogits {
    double sequences = 0;
    double queries = 1;  // query tokens of each sequence
    double keys = 0;     // index keys that one query scores, on average
    double heads = 64;
    double head_dim = 128;
    double key_bytes = 132;   // as stored; V3.2: 128 E4M3 + one FP32 scale
    double shared_reads = 1;  // query tokens of one sequence that read a key together
    bool bf16_keys = false;   // then queries and products are BF16 too

    constexpr bool in_fp8() const { return !bf16_keys; }
    // Queries are FP8 with a scale a head, logits FP32. ReLU and the weighted sum run beside the tensor cores and are
    // not counted.
    constexpr Work work() const {
        const double rows = sequences * queries;
        return {.flops = Flops(2 * rows * keys * heads * head_dim),
                .read = Bytes(rows / shared_reads * keys * key_bytes +
                              rows * heads * (bf16_keys ? head_dim * 2 : head_dim + 4)),
                .written = Bytes(rows * keys * 4)};
    }
};

struct IndexerTopK {
    double rows = 0;
    double keys = 0;
    double k = 0;
    double logit_bytes = 4;  // 2 where the indexer writes BF16

    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(rows * keys * logit_bytes), .written = Bytes(rows * k * 4)};
    }
};

// Token groups (V4.1): the largest logit of each block of 8 positions, then the best blocks, which later layers search.
struct CoarseSelection {
    double rows = 0;
    double keys = 0;
    double blocks = 2048;  // candidates of a row

    // The maxima are written; the selection reads them where they still are, in the L2.
    constexpr Work work() const {
        return {.flops = Flops(0), .read = Bytes(rows * keys * 4), .written = Bytes(rows * (keys * 0.5 + blocks * 4))};
    }
};

}  // namespace strata
