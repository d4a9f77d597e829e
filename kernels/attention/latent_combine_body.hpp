// Puts together what the splits of a query head's keys found: a block a head, four dimensions a thread.
#pragma once

#include "kernels/attention/latent_attention_body.hpp"

namespace strata {

template <class Thread, class Task>
STRATA_BODY void latent_combine(Thread& t, const Task& task) {
    const LatentQueries& queries = task.queries;
    const long row = t.block(), rows = queries.tokens * queries.heads;
    const int tiles = int(ceil_div(task.unit(task.unit_of(row)).slots, kLatentSlots));
    const int splits = tiles == 0 ? 1 : int(ceil_div(tiles, queries.tiles_a_split));  // that had something to do
    float largest = -HUGE_VALF;
    for (int split = 0; split < splits; ++split) largest = max_of(largest, queries.partial_lse[split * rows + row]);
    const bool lonely = largest == -HUGE_VALF;
    float sum = 0, out[4] = {};
    for (int split = 0; split < splits && !lonely; ++split) {
        const float weight = exp2_of((queries.partial_lse[split * rows + row] - largest) * kLog2E);
        const Pack<float> part =
            load_pack(queries.partial_out, (split * rows + row) * kLatentValueDim + t.thread() * 4);
        sum += weight;
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) out[i] += weight * part.at[i];
    }
    const float lse = largest + log2_of(sum) * kLn2;
    const float factor = lonely ? 0 : sink_leaves(lse, task.sink(row)) / sum;
    struct alignas(8) Four {
        std::uint32_t at[2];
    };
    *reinterpret_cast<Four*>(queries.out + row * kLatentValueDim + t.thread() * 4) = {
        {bf16_pair(out[0] * factor, out[1] * factor), bf16_pair(out[2] * factor, out[3] * factor)}};
    if (t.thread() == 0 && queries.lse) queries.lse[row] = lonely ? HUGE_VALF : lse;
}

}  // namespace strata
