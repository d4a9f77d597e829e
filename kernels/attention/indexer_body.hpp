// The lightning indexer, thread by thread. A tile of 64 keys is the left operand of the tensor cores, the heads of some
// queries the right one: a thread then holds the products of two keys with a quarter of the heads, weighs and adds
// them in registers, and two shuffles make a logit. So the sum over heads, which is as much work for the CUDA cores as
// the products are for the tensor cores, moves nothing. Eight neighbouring keys are held by eight lanes of a warp:
// their maximum is three shuffles more.
//
// Warpgroups of a block share the queries and have tiles, copies and barriers of their own, so that one weighs while
// another multiplies.
#pragma once

#include <cfloat>
#include <limits>

#include "kernels/arithmetic.hpp"
#include "kernels/attention/indexer_task.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/warp.hpp"
#include "kernels/simt/wgmma.hpp"

namespace strata {

// Queries of a block: `rounds` products of kIndexerRound columns or fewer follow each other for every tile of keys.
template <int heads, int queries_a_round, int rounds>
struct IndexerPlan {
    static constexpr int kHeads = heads;
    static constexpr int kAtOnce = queries_a_round;
    static constexpr int kRounds = rounds;
    static constexpr int kColumns = heads * queries_a_round;
    static constexpr int kQueries = queries_a_round * rounds;
    static constexpr int kQueryBytes = kQueries * heads * kIndexChannels;
    static constexpr int kStages = kIndexerWarpgroups * kIndexerStages;
    static constexpr int kScalesAt = kQueryBytes + kStages * kIndexerTileBytes;
    static constexpr int kWeightsAt = kScalesAt + kStages * kIndexerKeys * 4;
    static constexpr int kBoundsAt = kWeightsAt + kQueries * heads * 4;
    static constexpr int kSharedBytes = kBoundsAt + kQueries * 2 * 4;
    static_assert(kColumns <= kIndexerRound);
};

// Two rounds a tile in prefill: a key is then read from L2 once for four queries of 64 heads.
template <int heads>
using IndexerPrefillPlan = IndexerPlan<heads, kIndexerRound / heads, 2>;
template <int heads, int next_n>
using IndexerDecodePlan = IndexerPlan<heads, next_n, 1>;

template <class Plan>
Grid grid_of(const IndexerTask& task) {  // of a planned task
    return {.blocks = int(ceil_div(task.rows, Plan::kQueries)),
            .rows = task.splits,
            .threads = kIndexerThreads,
            .shared_bytes = Plan::kSharedBytes};
}

// Where a tile of keys is; no codes: there is none.
struct IndexerTile {
    const std::uint8_t* codes;
    const float* scales;
    int keys;  // that stand there
};

struct Positions {
    int begin, end;
};

STRATA_HD Positions within(long columns, int begin, int end) {
    end = end < 0 ? 0 : end > columns ? int(columns) : end;
    return {begin < 0 ? 0 : begin > end ? end : begin, end};
}

STRATA_HD IndexerTile tile_of(const IndexerKeys& keys, long, int tile) {
    const long first = long(tile) * kIndexerKeys, left = keys.keys - first;
    return {reinterpret_cast<const std::uint8_t*>(keys.codes) + first * kIndexChannels, keys.scales + first,
            left < kIndexerKeys ? int(left) : kIndexerKeys};
}
STRATA_HD Positions seen_by(const IndexerKeys& keys, long row, long columns) {
    return within(columns, keys.begin ? keys.begin[row] : 0, keys.end ? keys.end[row] : int(columns));
}

STRATA_HD IndexerTile tile_of(const PagedIndexerKeys& keys, long first_row, int tile) {
    const long page = keys.table[first_row / keys.next_n * keys.table_width + tile];
    if (page < 0 || page >= keys.page_count) return {nullptr, nullptr, 0};
    const std::uint8_t* at = keys.pages + page * kIndexPageBytes;
    return {at, reinterpret_cast<const float*>(at + kIndexerTileBytes), kIndexerKeys};
}
STRATA_HD Positions seen_by(const PagedIndexerKeys& keys, long row, long columns) {
    const int context = keys.contexts[row / keys.next_n], later = keys.next_n - 1 - int(row % keys.next_n);
    return within(columns, 0, context < later ? 0 : context - later);
}

template <class Plan, class Keys, class Thread>
class IndexerBlock {
    static constexpr float kNone = -std::numeric_limits<float>::infinity();

public:
    STRATA_BODY IndexerBlock(Thread& t, const IndexerTask& task, const Keys& keys)
        : t_(t),
          task_(task),
          keys_(keys),
          first_row_(long(t.blocks() - 1 - t.block()) * Plan::kQueries),  // causal rows: the longest first
          rows_(task.rows - first_row_ < Plan::kQueries ? int(task.rows - first_row_) : Plan::kQueries),
          warpgroup_(t.warp() / 4),
          key_(t.warp() % 4 * 16 + t.lane() / 4),
          tiles_(t.shared() + Plan::kQueryBytes + warpgroup_ * kIndexerStages * kIndexerTileBytes),
          scales_(reinterpret_cast<float*>(t.shared() + Plan::kScalesAt) + warpgroup_ * kIndexerStages * kIndexerKeys),
          weights_(reinterpret_cast<float*>(t.shared() + Plan::kWeightsAt)),
          bounds_(reinterpret_cast<Positions*>(t.shared() + Plan::kBoundsAt)) {}

    STRATA_BODY void run() {
        load_queries();
        copies_.close_group();
        t_.sync();  // bounds are there
        choose_tiles();
        for (int turn = 0; turn < kIndexerStages - 1; ++turn) load(turn);
        copies_.template wait_for_all_but<kIndexerStages - 1>();
        t_.show_to_async_copies();
        t_.sync();  // queries are there
        for (int turn = 0; tile_at(turn) < last_; ++turn) {
            copies_.template wait_for_all_but<kIndexerStages - 2>();
            t_.show_to_async_copies();
            t_.sync_group(1 + warpgroup_, 128);  // the tile is there, and the one before has been read
            load(turn + kIndexerStages - 1);
            STRATA_ROLLED
            for (int round = 0; round < Plan::kRounds; ++round) score(turn, round);
        }
        if (task_.fill_outside && task_.logits) fill_outside();
    }

private:
    STRATA_BODY void load_queries() {
        const auto* from =
            reinterpret_cast<const std::uint8_t*>(task_.queries) + first_row_ * Plan::kHeads * long(kIndexChannels);
        for (int chunk = t_.thread(); chunk < rows_ * Plan::kHeads * 8; chunk += t_.threads())
            copies_.copy16(t_.shared() + swizzled_offset(chunk / 8, chunk % 8 * 16), from + chunk * 16L);
        for (int i = t_.thread(); i < rows_ * Plan::kHeads; i += t_.threads())
            weights_[i] = task_.weights[first_row_ * Plan::kHeads + i];
        if (t_.thread() >= Plan::kQueries) return;
        const bool is_there = t_.thread() < rows_;
        const long row = first_row_ + t_.thread();
        const Positions seen = is_there ? seen_by(keys_, row, task_.columns) : Positions{0, 0};
        bounds_[t_.thread()] = seen;
        if (is_there && task_.maxima && t_.row() == 0)
            task_.counts[row] = std::int32_t(ceil_div(seen.end, kBlockOfPositions));
    }

    // Tiles that any of the queries sees; warpgroups of all splits take turns.
    STRATA_BODY void choose_tiles() {
        int first = int(ceil_div(task_.columns, kIndexerKeys));
        last_ = 0;
        for (int query = 0; query < rows_; ++query) {
            const Positions seen = bounds_[query];
            if (seen.begin >= seen.end) continue;
            first = min_int(first, seen.begin / kIndexerKeys);
            last_ = -min_int(-last_, -int(ceil_div(seen.end, kIndexerKeys)));
        }
        first_ = first + t_.row() * kIndexerWarpgroups + warpgroup_;
    }
    STRATA_BODY static int min_int(int a, int b) { return a < b ? a : b; }
    STRATA_BODY int tile_at(int turn) const { return first_ + turn * t_.rows() * kIndexerWarpgroups; }

    // A group of copies each turn, empty after the last tile.
    STRATA_BODY void load(int turn) {
        const int tile = tile_at(turn), stage = turn % kIndexerStages, thread = t_.thread() % 128;
        if (tile < last_) {
            const IndexerTile from = tile_of(keys_, first_row_, tile);
            std::uint8_t* to = tiles_ + stage * kIndexerTileBytes;
            for (int chunk = thread; chunk < from.keys * 8; chunk += 128)
                copies_.copy16(to + swizzled_offset(chunk / 8, chunk % 8 * 16), from.codes + chunk * 16L);
            float* scales = scales_ + stage * kIndexerKeys;
            const int four = thread * 4;
            if (four + 4 <= from.keys)
                copies_.copy16(scales + four, from.scales + four);
            else  // the last of an array that is not whole fours
                for (int key = four; key < from.keys; ++key) scales[key] = from.scales[key];
        }
        copies_.close_group();
    }

    STRATA_BODY void score(int turn, int round) {
        const int stage = turn % kIndexerStages;
        const std::uint64_t keys = k_major_descriptor(t_.shared_address(tiles_ + stage * kIndexerTileBytes));
        const std::uint64_t queries =
            k_major_descriptor(t_.shared_address(t_.shared() + round * Plan::kColumns * kIndexChannels));
        WgmmaSum<Plan::kColumns> sum;
        t_.sync_warp();  // lanes that stored something else are back
        products_.begin(t_, sum);
        STRATA_UNROLL
        for (int step = 0; step < kIndexChannels / 32; ++step)
            products_.template multiply<E4m3>(t_, sum, advanced(keys, std::uint32_t(32 * step)),
                                              advanced(queries, std::uint32_t(32 * step)), step > 0);
        products_.commit();
        products_.template wait_for_all_but<0>(t_, sum);
        const float* scales = scales_ + stage * kIndexerKeys + key_;
        weigh(sum, tile_at(turn), round, scales[0], scales[8]);
    }

    // The four lanes of a row hold its columns 8 j + 2 lane and the next; `half` is the row eight keys further.
    STRATA_BODY void weigh(const WgmmaSum<Plan::kColumns>& sum, int tile, int round, float scale, float scale_of_half) {
        constexpr int kValues = Plan::kAtOnce * 2, kPerQuery = Plan::kHeads / 8;
        float logits[kValues] = {};
        const float* weights = weights_ + round * Plan::kColumns + t_.lane() % 4 * 2;
        STRATA_UNROLL
        for (int j = 0; j < Plan::kColumns / 8; ++j) {
            const float first = weights[j * 8], second = weights[j * 8 + 1];
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                float& logit = logits[j / kPerQuery * 2 + half];
                logit += first * max_of(sum.at[j * 4 + half * 2], 0.0f);
                logit += second * max_of(sum.at[j * 4 + half * 2 + 1], 0.0f);
            }
        }
        STRATA_UNROLL
        for (int i = 0; i < kValues; ++i) logits[i] = warp_sum<4>(t_, logits[i]) * (i % 2 ? scale_of_half : scale);
        // Each lane stores one in four, so that eight neighbours go to 32 bytes in a row.
        STRATA_UNROLL
        for (int four = 0; four < kValues; four += 4) {
            float mine = logits[four];
            STRATA_UNROLL
            for (int i = 1; i < 4 && four + i < kValues; ++i)
                if (t_.lane() % 4 == i) mine = logits[four + i];
            const int value = four + t_.lane() % 4;
            store(tile, round * Plan::kAtOnce + value / 2, value % 2, value < kValues, mine);
        }
    }

    STRATA_BODY void store(int tile, int query, int half, bool is_there, float logit) {
        const int position = tile * kIndexerKeys + key_ + half * 8;
        const Positions seen = is_there ? bounds_[query] : Positions{0, 0};  // of a row that is not there: nothing
        const bool is_seen = position >= seen.begin && position < seen.end;
        if (!tile_of(keys_, first_row_, tile).codes) logit = kNone;
        const long row = first_row_ + query;
        if (is_seen && task_.logits) task_.logits[row * task_.stride + position] = logit;
        if (!task_.maxima) return;
        float most = is_seen && logit > kNone ? (logit < FLT_MAX ? logit : FLT_MAX) : kNone;  // a NaN is none
        STRATA_UNROLL
        for (int lanes = 4; lanes < 32; lanes *= 2) most = max_of(most, t_.shuffle_xor(most, lanes));
        if (t_.lane() >= 4 || position >= seen.end) return;
        const bool is_pinned = position + kBlockOfPositions > seen.end;
        task_.maxima[row * task_.maxima_stride + position / kBlockOfPositions] = is_pinned ? -kNone : most;
    }

    STRATA_BODY void fill_outside() {
        const int first = t_.row() * t_.threads() + t_.thread(), step = t_.rows() * t_.threads();
        for (int query = 0; query < rows_; ++query) {
            float* row = task_.logits + (first_row_ + query) * task_.stride;
            for (int at = first; at < bounds_[query].begin; at += step) row[at] = kNone;
            for (long at = bounds_[query].end + first; at < task_.columns; at += step) row[at] = kNone;
        }
    }

    static constexpr int kBlockOfPositions = 8;  // a candidate block of V4.1 (top_k_task.hpp)

    Thread& t_;
    const IndexerTask& task_;
    const Keys& keys_;
    const long first_row_;
    const int rows_;
    const int warpgroup_;
    const int key_;              // of a tile: this thread's, and the one 8 further
    std::uint8_t* const tiles_;  // [stages][64][128], swizzled
    float* const scales_;        // [stages][64]
    float* const weights_;       // [queries][heads]
    Positions* const bounds_;    // [queries]
    int first_ = 0, last_ = 0;   // tiles
    AsyncCopies copies_;
    WarpgroupProducts products_;
};

template <class Plan, class Keys, class Thread>
STRATA_BODY void indexer_logits(Thread& t, const IndexerTask& task, const Keys& keys) {
    IndexerBlock<Plan, Keys, Thread>(t, task, keys).run();
}

}  // namespace strata
