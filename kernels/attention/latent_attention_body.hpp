// Latent attention on the tensor cores: a block has 64 query heads that attend to the same keys, and takes those keys
// in tiles of 64. Two warpgroups, which meet twice a tile:
//   the first scores the tile (64 x 64 products over all dimensions) and turns scores into weights, while the second
//   brings the next tile to shared memory (and expands FP8); then each adds weights times values to its half of the
//   output's 512 dimensions, which stay in registers (64 x 256 FP32).
// Values are the first 512 dimensions of the same tile. Two tiles and the queries fill the shared memory (72 KB each at
// 576 dimensions), so that one tile is on its way while one is worked on.
#pragma once

#include "kernels/attention/latent_softmax.hpp"
#include "kernels/attention/latent_tile.hpp"
#include "kernels/attention/mla_decode_task.hpp"
#include "kernels/attention/sparse_mla_task.hpp"

namespace strata {

template <LatentFormat format, class Thread, class Task>
class LatentBlock {
    static constexpr int kPanels = layout_of(format).dim / 64;
    static constexpr int kTileBytes = kPanels * kPanelBytes;
    static constexpr int kHalf = kLatentValueDim / 2;
    using Half = WgmmaSum<kHalf>;

public:
    STRATA_BODY LatentBlock(Thread& t, const Task& task)
        : t_(t),
          task_(task),
          splits_(task.queries.splits),
          row_tile_(int(t.block() % row_tiles(task))),  // neighbours share keys, and so find them in the L2
          split_(int(t.block() / row_tiles(task) % splits_)),
          unit_(task.unit(t.block() / row_tiles(task) / splits_)),
          queries_(t.shared()),
          weights_(queries_ + 3 * kTileBytes),
          factors_(reinterpret_cast<float*>(weights_ + kPanelBytes)),
          present_(reinterpret_cast<std::uint8_t*>(factors_ + kLatentRows)) {}

    STRATA_BODY void run() {
        const int tiles = int(ceil_div(unit_.slots, kLatentSlots)), share = task_.queries.tiles_a_split;
        const int first = split_ * share, end = first + share < tiles ? first + share : tiles;
        if (split_ > 0 && first >= end) return;  // and no row of `partial` is looked at
        RowPieces pieces(t_.thread() % kWarpgroup);
        KeyTileLoader<format> keys;
        if (!scores()) keys.ask(pieces, task_, unit_, first * kLatentSlots);
        load_queries(pieces);
        if (!scores() && first < end) load_keys(pieces, keys, first, first);
        Half out = {};
        LatentSoftmax softmax;
        STRATA_ROLLED
        for (int tile = first; tile < end; ++tile) {
            pieces.wait();
            t_.show_to_async_copies();
            t_.sync();  // the tile is there, and nobody needs the last one
            if (scores())
                weigh(softmax, tile, first);
            else if (tile + 1 < end)
                load_keys(pieces, keys, tile + 1, first);
            t_.sync();  // weights are there
            add_values(out, keys_of(tile - first));
        }
        finish(out, softmax);
    }

private:
    STRATA_BODY bool scores() const { return t_.thread() < kWarpgroup; }
    STRATA_BODY unsigned char* keys_of(int turn) const { return queries_ + (1 + turn % 2) * kTileBytes; }
    STRATA_BODY std::uint8_t* present_of(int turn) const { return present_ + turn % 2 * kLatentSlots; }
    // Of the block's 64 rows.
    STRATA_BODY int unit_row(int row) const { return row_tile_ * kLatentRows + row; }
    STRATA_BODY bool has(int row) const { return unit_row(row) < task_.rows(); }

    STRATA_BODY void load_queries(RowPieces& pieces) {
        constexpr int kRows = kLatentThreads / 8;  // at a time
        STRATA_UNROLL
        for (int i = 0; i < kLatentRows / kRows; ++i) {
            const int row = i * kRows + (scores() ? 0 : kRows / 2) + pieces.first_row();
            const Bf16* from =
                has(row) ? task_.queries.q + task_.row_at(unit_, unit_row(row)) * long(layout_of(format).dim) : nullptr;
            pieces.template copy<kPanels>(queries_, row, reinterpret_cast<const std::uint8_t*>(from));
        }
        pieces.close_group();
    }

    STRATA_BODY void load_keys(RowPieces& pieces, KeyTileLoader<format>& keys, int tile, int first) {
        keys.load(t_, pieces, task_, unit_, tile * kLatentSlots, keys_of(tile - first), present_of(tile - first));
        keys.ask(pieces, task_, unit_, (tile + 1) * kLatentSlots);
    }

    // Scores of a tile, and the weights that they become.
    STRATA_BODY void weigh(LatentSoftmax& softmax, int tile, int first) {
        const std::uint64_t q = k_major_descriptor(t_.shared_address(queries_)),
                            k = k_major_descriptor(t_.shared_address(keys_of(tile - first)));
        LatentSoftmax::Scores scores;
        t_.sync_warp();  // a product takes a warp's lanes together, and loading has let them go their ways
        products_.begin(t_, scores);
        STRATA_UNROLL
        for (int step = 0; step < kPanels * 4; ++step) {
            const int at = step / 4 * kPanelBytes + step % 4 * 32;
            products_.template multiply<Bf16>(t_, scores, advanced(q, at), advanced(k, at), step > 0);
        }
        products_.commit();
        products_.template wait_for_all_but<0>(t_, scores);
        int visible[2];
        float factors[2];
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half)
            visible[half] = task_.visible(unit_, unit_row(row_of(half))) - tile * kLatentSlots;
        softmax.take(t_, scores, visible, present_of(tile - first), task_.queries.scale * kLog2E, factors);
        LatentSoftmax::store(t_, scores, weights_);
        tell(factors);
        t_.show_to_async_copies();
    }

    // This warpgroup's half of the values' dimensions.
    STRATA_BODY void add_values(Half& out, const unsigned char* keys) {
        const float factors[2] = {factors_[row_of(0)], factors_[row_of(1)]};
        // A new maximum becomes rare: mostly there is nothing to multiply.
        if (t_.ballot(factors[0] != 1 || factors[1] != 1)) multiply_rows(out, factors);
        const std::uint64_t weights = k_major_descriptor(t_.shared_address(weights_)),
                            values = mn_major_descriptor(
                                t_.shared_address(keys + (scores() ? 0 : kHalf / 64 * kPanelBytes)), kPanelBytes);
        t_.sync_warp();
        products_.begin(t_, out);
        STRATA_UNROLL
        for (int step = 0; step < kLatentSlots / 16; ++step)
            products_.template multiply<Bf16, Major::mn>(t_, out, advanced(weights, step * 32),
                                                         advanced(values, step * 16 * 128), true);
        products_.commit();
        products_.template wait_for_all_but<0>(t_, out);
    }

    STRATA_BODY static void multiply_rows(Half& out, const float (&factors)[2]) {
        STRATA_UNROLL
        for (int i = 0; i < Half::kRegisters; ++i) out.at[i] *= factors[i % 4 / 2];
    }

    STRATA_BODY int row_of(int half) const { return wgmma_row(t_.thread() % kWarpgroup, half * 2); }
    // A number of each row, to both warpgroups.
    STRATA_BODY void tell(const float (&of_rows)[2]) {
        if (t_.lane() % 4 == 0) factors_[row_of(0)] = of_rows[0], factors_[row_of(1)] = of_rows[1];
    }

    STRATA_BODY void finish(Half& out, const LatentSoftmax& softmax) {
        t_.sync();  // nobody needs the last factors
        if (scores()) {
            float factors[2];
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half) factors[half] = conclude(softmax.row(t_, half), row_of(half));
            tell(factors);
        }
        t_.sync();
        const float factors[2] = {factors_[row_of(0)], factors_[row_of(1)]};
        multiply_rows(out, factors);
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) store(out, half);
    }

    // Writes the sums of a row; returns what its output is to be multiplied by.
    STRATA_BODY float conclude(const LatentSoftmax::Row& row, int at) {
        const float lse = row.lonely() ? -HUGE_VALF : row.lse();
        if (has(at) && t_.lane() % 4 == 0) {
            const long to = task_.row_at(unit_, unit_row(at));
            if (splits_ > 1)
                task_.queries.partial_lse[split_ * task_.queries.tokens * task_.queries.heads + to] = lse;
            else if (task_.queries.lse)
                task_.queries.lse[to] = row.lonely() ? HUGE_VALF : lse;
            if (task_.max_logits()) task_.max_logits()[to] = row.largest * kLn2;
        }
        if (row.lonely()) return 0;
        return (splits_ > 1 || !has(at) ? 1 : sink_leaves(lse, task_.sink(task_.row_at(unit_, unit_row(at))))) /
               row.sum;
    }

    // FP32, as two numbers a lane: four lanes fill a sector.
    STRATA_BODY void store_partial(const Half& out, int half, float* row) const {
        struct alignas(8) Two {
            float at[2];
        };
        STRATA_UNROLL
        for (int i = half * 2; i < Half::kRegisters; i += 4)
            *reinterpret_cast<Two*>(row + wgmma_column(t_.lane(), i)) = {{out.at[i], out.at[i + 1]}};
    }
    // BF16: of each two groups of eight columns, the even lane of two neighbours gets four of the first, the odd one
    // four of the second. All lanes call; a row that there is not is null.
    STRATA_BODY void store_rounded(const Half& out, int half, Bf16* row) {
        struct alignas(8) Four {
            std::uint32_t at[2];
        };
        const int odd = t_.lane() % 2;
        STRATA_UNROLL
        for (int i = half * 2; i < Half::kRegisters; i += 8) {
            const std::uint32_t first = bf16_pair(out.at[i], out.at[i + 1]),
                                second = bf16_pair(out.at[i + 4], out.at[i + 5]);
            const std::uint32_t came = t_.shuffle_xor(odd ? first : second, 1);
            if (row)
                *reinterpret_cast<Four*>(row + i / 8 * 16 + odd * 8 +
                                         t_.lane() % 4 / 2 * 4) = {{odd ? came : first, odd ? second : came}};
        }
    }
    STRATA_BODY void store(const Half& out, int half) {
        const bool there = has(row_of(half));
        const long row = there ? task_.row_at(unit_, unit_row(row_of(half))) : 0;
        const long at = row * kLatentValueDim + (scores() ? 0 : kHalf);
        if (splits_ == 1)
            store_rounded(out, half, there ? task_.queries.out + at : nullptr);
        else if (there)
            store_partial(out, half,
                          task_.queries.partial_out +
                              split_ * task_.queries.tokens * task_.queries.heads * long(kLatentValueDim) + at);
    }

    Thread& t_;
    const Task& task_;
    const int splits_, row_tile_, split_;
    const typename Task::Unit unit_;
    unsigned char* const queries_;  // [panels], then two tiles of keys
    unsigned char* const weights_;  // a panel: [64 rows][64 keys]
    float* const factors_;          // [64 rows]
    std::uint8_t* const present_;   // [2][64 keys]
    WarpgroupProducts products_;
};

template <LatentFormat format, class Thread, class Task>
STRATA_BODY void latent_attention(Thread& t, const Task& task) {
    LatentBlock<format, Thread, Task>(t, task).run();
}

}  // namespace strata
