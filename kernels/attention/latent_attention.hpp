// Attention over shared latent KV entries (absorbed MLA, DSA's selected rows, V4's compressed entries): every head of
// a query token scores `attended` entries and sums their values.
//   scores = q[h][score_dim] . kv[l][score_dim];  out[h][value_dim] = softmax(scores) . kv[l][value_dim]
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct LatentAttention {
    double sequences = 0;
    double queries = 1;      // query tokens of each sequence in this step
    double heads = 0;        // on this rank
    double attended = 0;     // entries that one query attends to, on average (causal prefill: half the context)
    double entry_bytes = 0;  // of one KV entry as stored
    double score_dim = 576;  // MLA: 512 latent + 64 rotary; V4: 512
    double value_dim = 512;
    double shared_reads =
        1;  // query tokens of one sequence that read an entry together (a prefill tile; 1 if gathered)

    // Queries and outputs are BF16. Softmax is not counted: it is below 1 % of the products.
    constexpr Work work() const {
        const double rows = sequences * queries;
        return {.flops = Flops(2 * rows * heads * attended * (score_dim + value_dim)),
                .read = Bytes(rows / shared_reads * attended * entry_bytes + rows * heads * score_dim * 2),
                .written = Bytes(rows * heads * value_dim * 2)};
    }
};

// Prefill in multi-head form: keys and values are expanded, so scores run over key_dim and sums over value_dim.
struct ContextAttention {
    double sequences = 0;
    double length = 0;  // new tokens of each sequence
    double past = 0;    // tokens already cached
    double heads = 0;
    double key_dim = 192;  // MLA: 128 + 64 rotary
    double value_dim = 128;

    // Causal: token i of the new ones sees past + i + 1 keys. BF16 in and out; K and V are read once.
    constexpr Work work() const {
        const double pairs = length * past + length * (length + 1) / 2;
        const double per_head = (length + past) * (key_dim + value_dim) + length * key_dim;
        return {.flops = Flops(2 * sequences * heads * pairs * (key_dim + value_dim)),
                .read = Bytes(sequences * heads * per_head * 2),
                .written = Bytes(sequences * heads * length * value_dim * 2)};
    }
};

}  // namespace strata
