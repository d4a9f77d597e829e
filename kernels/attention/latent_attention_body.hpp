// Latent attention on the tensor cores: a block has 64 query heads that attend to the same keys, and takes those keys
// in tiles of 64. Warpgroups, which meet at barriers in shared memory only where one needs what another has:
//   the first scores a tile (64 x 64 products over all dimensions), turns scores into weights, and adds weights times
//   values to its half of the output's 512 dimensions, which stay in registers (64 x 256 FP32);
//   the second adds to the other half, while the first may be scoring the next tile;
//   the third brings tiles to shared memory as soon as one of two places is free; with a fourth it expands FP8.
// Values are the first 512 dimensions of the same tile. Two tiles and the queries fill the shared memory (72 KB each at
// 576 dimensions).
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
    static constexpr int kSteps = kLatentSlots / 16;  // of a product with values
    // Of the output, a row's half: one sum, or two where the threads begin with so few registers that the compiler
    // refuses one of 256 columns.
    static constexpr bool kExpands = layout_of(format).codes > 0;
    static constexpr int kParts = kExpands ? 2 : 1, kPart = kHalf / kParts;
    struct Half {
        WgmmaSum<kPart> parts[kParts];
    };

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
          present_(reinterpret_cast<std::uint8_t*>(factors_ + kLatentRows)),
          full_(reinterpret_cast<Barrier*>(present_ + 2 * kLatentSlots)),
          free_(full_ + 2),
          weighed_(free_ + 2),
          added_(weighed_ + 1) {}

    STRATA_BODY void run() {
        const int tiles = int(ceil_div(unit_.slots, kLatentSlots)), share = task_.queries.tiles_a_split;
        const int first = split_ * share, end = first + share < tiles ? first + share : tiles;
        if (split_ > 0 && first >= end) return;  // and no row of `partial` is looked at
        open_barriers();
        const int warpgroup = t_.shuffle(t_.warp() / 4, 0);  // so that the compiler sees that a warp agrees
        if (warpgroup >= 2) {
            t_.template give_back_registers<kRegistersToLoad>();
            load_keys(first, end);
            return;
        }
        load_queries();
        if (warpgroup == 0) {
            t_.template take_registers<kRegistersToWeigh>();
            weigh_and_add(first, end);
        } else {
            if constexpr (kExpands) t_.template take_registers<kRegistersToAdd>();
            add(first, end);
        }
    }

private:
    using Barrier = typename Thread::Barrier;
    // Of 168 that a thread has to begin with, or 128 where two warpgroups load; those that add then need more.
    static constexpr int kRegistersToLoad = kExpands ? 72 : 120, kRegistersToWeigh = kExpands ? 208 : 216,
                         kRegistersToAdd = 160;
    static constexpr int kWarps = kWarpgroup / 32;
    static constexpr int kLoaders = latent_loading_threads(format);

    STRATA_BODY unsigned char* keys_of(int turn) const { return queries_ + (1 + turn % 2) * kTileBytes; }
    STRATA_BODY std::uint8_t* present_of(int turn) const { return present_ + turn % 2 * kLatentSlots; }
    // Of the block's 64 rows.
    STRATA_BODY int unit_row(int row) const { return row_tile_ * kLatentRows + row; }
    STRATA_BODY bool has(int row) const { return unit_row(row) < task_.rows(); }

    STRATA_BODY void open_barriers() {
        if (t_.thread() == 0) {
            for (int place = 0; place < 2; ++place) {
                t_.open_barrier(full_ + place, kLoaders + kLoaders / 32);  // copies of each thread, stores of each warp
                t_.open_barrier(free_ + place, 2 * kWarps);
            }
            t_.open_barrier(weighed_, kWarps);
            t_.open_barrier(added_, kWarps);
            t_.publish_barriers();
        }
        t_.sync();
    }
    // What this warp did before is seen by those who wait.
    STRATA_BODY void arrive(Barrier* barrier) {
        t_.sync_warp();
        if (t_.lane() == 0) t_.arrive(barrier);
    }

    STRATA_BODY void load_keys(int first, int end) {
        if (first >= end) return;
        KeyTileLoader<format> keys(t_.thread() - kLatentMathThreads);
        keys.begin(task_, unit_, first * kLatentSlots, first + 1 < end);
        STRATA_ROLLED
        for (int tile = first; tile < end; ++tile) {
            const int turn = tile - first;
            t_.wait(free_ + turn % 2, (turn / 2 + 1) % 2);
            keys.load(t_, task_, unit_, tile * kLatentSlots, end - 1 - tile, keys_of(turn), present_of(turn),
                      full_ + turn % 2);
        }
    }

    STRATA_BODY void load_queries() {
        constexpr int kRows = kLatentMathThreads / 8;  // at a time
        RowPieces pieces(t_.thread());
        STRATA_UNROLL
        for (int i = 0; i < kLatentRows / kRows; ++i) {
            const int row = i * kRows + pieces.first_row();
            const Bf16* from =
                has(row) ? task_.queries.q + task_.row_at(unit_, unit_row(row)) * long(layout_of(format).dim) : nullptr;
            pieces.template copy<kPanels>(queries_, row, reinterpret_cast<const std::uint8_t*>(from));
        }
        pieces.wait();
        t_.show_to_async_copies();
        t_.sync_group(1, kLatentMathThreads);
    }

    STRATA_BODY void wait_for_keys(int turn) { t_.wait(full_ + turn % 2, turn / 2 % 2); }
    // Before products of what others wrote, once that was waited for.
    STRATA_BODY void show_to_products() {
        t_.show_to_async_copies();
        t_.sync_warp();  // a product takes a warp's lanes together
    }

    // The first warpgroup's work.
    STRATA_BODY void weigh_and_add(int first, int end) {
        Half out = {};
        LatentSoftmax softmax;
        int turn = 0;
        STRATA_ROLLED
        for (; first + turn < end; ++turn) {
            float factors[2];
            WgmmaA weights[kSteps];
            wait_for_keys(turn);
            show_to_products();
            weigh(softmax, first + turn, turn, weights, factors);
            multiply_rows_if_needed(out, factors);
            const std::uint64_t values = values_of(turn, 0);
            begin(out);
            STRATA_UNROLL
            for (int step = 0; step < kSteps; ++step) multiply(out, weights[step], advanced(values, step * 16 * 128));
            products_.commit();
            tell(turn, weights, factors);
            wait_for(out);
            arrive(free_ + turn % 2);
        }
        float factors[2];
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) factors[half] = conclude(softmax.row(t_, half), row_of(half));
        t_.wait(added_, (turn + 1) % 2);
        tell(factors);
        arrive(weighed_);
        finish(out, factors, 0);
    }

    // The second one's.
    STRATA_BODY void add(int first, int end) {
        Half out = {};
        int turn = 0;
        const std::uint64_t weights = k_major_descriptor(t_.shared_address(weights_));
        STRATA_ROLLED
        for (; first + turn < end; ++turn) {
            wait_for_keys(turn);
            t_.wait(weighed_, turn % 2);
            show_to_products();
            const float factors[2] = {factors_[row_of(0)], factors_[row_of(1)]};
            multiply_rows_if_needed(out, factors);
            const std::uint64_t values = values_of(turn, 1);
            begin(out);
            STRATA_UNROLL
            for (int step = 0; step < kSteps; ++step)
                multiply(out, advanced(weights, step * 32), advanced(values, step * 16 * 128));
            products_.commit();
            wait_for(out);
            arrive(added_);
            arrive(free_ + turn % 2);
        }
        t_.wait(weighed_, turn % 2);
        const float factors[2] = {factors_[row_of(0)], factors_[row_of(1)]};
        finish(out, factors, 1);
    }

    // Scores of a tile, and the weights that they become.
    STRATA_BODY void weigh(LatentSoftmax& softmax, int tile, int turn, WgmmaA (&weights)[kSteps], float (&factors)[2]) {
        const std::uint64_t q = k_major_descriptor(t_.shared_address(queries_)),
                            k = k_major_descriptor(t_.shared_address(keys_of(turn)));
        LatentSoftmax::Scores scores;
        products_.begin(t_, scores);
        STRATA_UNROLL
        for (int step = 0; step < kPanels * 4; ++step) {
            const int at = step / 4 * kPanelBytes + step % 4 * 32;
            products_.template multiply<Bf16>(t_, scores, advanced(q, at), advanced(k, at), step > 0);
        }
        products_.commit();
        int visible[2];
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half)
            visible[half] = task_.visible(unit_, unit_row(row_of(half))) - tile * kLatentSlots;
        const bool all_count = LatentSoftmax::all_count(t_, visible, present_of(turn));
        products_.template wait_for_all_but<0>(t_, scores);
        STRATA_UNROLL
        for (float& score : scores.at) score *= task_.queries.scale * kLog2E;
        if (!all_count) LatentSoftmax::mask(t_, scores, visible, present_of(turn));
        softmax.take(t_, scores, factors);
        LatentSoftmax::pack(scores, weights);
    }
    // What became of a tile, to the second warpgroup; meanwhile the first one's product goes on.
    STRATA_BODY void tell(int turn, const WgmmaA (&weights)[kSteps], const float (&factors)[2]) {
        t_.wait(added_, (turn + 1) % 2);  // the last ones were read
        LatentSoftmax::store(t_, weights, weights_);
        tell(factors);
        arrive(weighed_);
    }

    // The values' dimensions of a warpgroup: those of the first or the second half.
    STRATA_BODY std::uint64_t values_of(int turn, int half) const {
        return mn_major_descriptor(t_.shared_address(keys_of(turn) + half * (kHalf / 64 * kPanelBytes)), kPanelBytes);
    }

    STRATA_BODY void begin(Half& out) {
        if constexpr (kParts == 2)
            products_.begin(t_, out.parts[0], out.parts[1]);
        else
            products_.begin(t_, out.parts[0]);
    }
    // Sixteen keys' weights times values.
    template <class Weights>
    STRATA_BODY void multiply(Half& out, const Weights& weights, std::uint64_t values) {
        STRATA_UNROLL
        for (int part = 0; part < kParts; ++part)
            products_.template multiply<Bf16, Major::mn>(t_, out.parts[part], weights,
                                                         advanced(values, part * (kPart / 64 * kPanelBytes)), true);
    }
    STRATA_BODY void wait_for(Half& out) {
        if constexpr (kParts == 2)
            products_.template wait_for_all_but<0>(t_, out.parts[0], out.parts[1]);
        else
            products_.template wait_for_all_but<0>(t_, out.parts[0]);
    }

    // A new maximum becomes rare: mostly there is nothing to multiply.
    STRATA_BODY void multiply_rows_if_needed(Half& out, const float (&factors)[2]) {
        if (t_.ballot(factors[0] != 1 || factors[1] != 1)) multiply_rows(out, factors);
        t_.sync_warp();
    }
    STRATA_BODY static void multiply_rows(Half& out, const float (&factors)[2]) {
        STRATA_UNROLL
        for (WgmmaSum<kPart>& part : out.parts) {
            STRATA_UNROLL
            for (int i = 0; i < part.kRegisters; ++i) part.at[i] *= factors[i % 4 / 2];
        }
    }

    STRATA_BODY int row_of(int half) const { return wgmma_row(t_.thread() % kWarpgroup, half * 2); }
    // A number of each row, to the second warpgroup.
    STRATA_BODY void tell(const float (&of_rows)[2]) {
        if (t_.lane() % 4 == 0) factors_[row_of(0)] = of_rows[0], factors_[row_of(1)] = of_rows[1];
    }

    STRATA_BODY void finish(Half& out, const float (&factors)[2], int which) {
        multiply_rows(out, factors);
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) store(out, half, which);
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
    STRATA_BODY void store_partial(const WgmmaSum<kPart>& out, int half, float* row) const {
        struct alignas(8) Two {
            float at[2];
        };
        STRATA_UNROLL
        for (int i = half * 2; i < out.kRegisters; i += 4)
            *reinterpret_cast<Two*>(row + wgmma_column(t_.lane(), i)) = {{out.at[i], out.at[i + 1]}};
    }
    // BF16: of each two groups of eight columns, the even lane of two neighbours gets four of the first, the odd one
    // four of the second. All lanes call; a row that there is not is null.
    STRATA_BODY void store_rounded(const WgmmaSum<kPart>& out, int half, Bf16* row) {
        struct alignas(8) Four {
            std::uint32_t at[2];
        };
        const int odd = t_.lane() % 2;
        STRATA_UNROLL
        for (int i = half * 2; i < out.kRegisters; i += 8) {
            const std::uint32_t first = bf16_pair(out.at[i], out.at[i + 1]),
                                second = bf16_pair(out.at[i + 4], out.at[i + 5]);
            const std::uint32_t came = t_.shuffle_xor(odd ? first : second, 1);
            if (row)
                *reinterpret_cast<Four*>(row + i / 8 * 16 + odd * 8 +
                                         t_.lane() % 4 / 2 * 4) = {{odd ? came : first, odd ? second : came}};
        }
    }
    STRATA_BODY void store(const Half& out, int half, int which) {
        const bool there = has(row_of(half));
        const long row = there ? task_.row_at(unit_, unit_row(row_of(half))) : 0;
        STRATA_UNROLL
        for (int part = 0; part < kParts; ++part) {
            const long at = row * kLatentValueDim + which * kHalf + part * kPart;
            if (splits_ == 1)
                store_rounded(out.parts[part], half, there ? task_.queries.out + at : nullptr);
            else if (there)
                store_partial(out.parts[part], half,
                              task_.queries.partial_out +
                                  split_ * task_.queries.tokens * task_.queries.heads * long(kLatentValueDim) + at);
        }
    }

    Thread& t_;
    const Task& task_;
    const int splits_, row_tile_, split_;
    const typename Task::Unit unit_;
    unsigned char* const queries_;  // [panels], then two tiles of keys
    unsigned char* const weights_;  // a panel: [64 rows][64 keys]
    float* const factors_;          // [64 rows]
    std::uint8_t* const present_;   // [2][64 keys]
    Barrier* const full_;           // [2 tiles]
    Barrier* const free_;           // [2 tiles]
    Barrier* const weighed_;        // weights and factors are there
    Barrier* const added_;          // and have been read
    WarpgroupProducts products_;
};

template <LatentFormat format, class Thread, class Task>
STRATA_BODY void latent_attention(Thread& t, const Task& task) {
    LatentBlock<format, Thread, Task>(t, task).run();
}

}  // namespace strata
