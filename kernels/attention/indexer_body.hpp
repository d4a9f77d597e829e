// The lightning indexer, thread by thread. A tile of 64 keys is the left operand of the tensor cores, the heads of some
// queries the right one: a thread then holds the products of two keys with a quarter of the heads, weighs and adds
// them in registers, and two shuffles make a logit. So the sum over heads, which is as much work for the CUDA cores as
// the products are for the tensor cores, moves nothing. Eight neighbouring keys are held by eight lanes of a warp:
// their maximum is three shuffles more.
//
// Warpgroups of a block share the queries and have tiles, copies and barriers of their own, so that one weighs while
// another multiplies. A thread of each starts the bulk copy of a whole tile: issuing was what pieces cost most.
#pragma once

#include <cfloat>
#include <limits>

#include "kernels/arithmetic.hpp"
#include "kernels/attention/indexer_task.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/tma.hpp"
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
    // The weights of a round, as the four lanes of a row take them: those of columns 8 j + 2 lane and the next, for all
    // j; lanes begin in different banks.
    static constexpr int kLaneWeights = kColumns / 4 + 4;
    static constexpr int kBoundsAt = kWeightsAt + rounds * 4 * kLaneWeights * 4;
    static constexpr int kFullAt = kBoundsAt + kQueries * 2 * 4;
    static constexpr int kPresentAt = kFullAt + kStages * 8;
    static constexpr int kSharedBytes = kPresentAt + kStages * 4;
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

struct Positions {
    int begin, end;
};

STRATA_HD Positions within(long columns, int begin, int end) {
    end = end < 0 ? 0 : end > columns ? int(columns) : end;
    return {begin < 0 ? 0 : begin > end ? end : begin, end};
}

// The keys as bulk copies see them: [pages][64 keys][128], and the scales of keys in one array (those of a page are a
// run of bytes).
struct IndexerMaps {
    TensorMap codes, scales;
};
inline IndexerMaps maps_of(const IndexerTask&, const IndexerKeys& keys) {
    return {.codes = make_tensor_map({.global = keys.codes,
                                      .rank = 3,
                                      .size = {kIndexChannels, keys.keys, 1},
                                      .stride_bytes = {kIndexChannels, keys.keys * kIndexChannels},
                                      .box = {kIndexChannels, kIndexerKeys, 1}}),
            .scales = make_tensor_map({.global = keys.scales,
                                       .element_bytes = 4,
                                       .size = {keys.keys, 1, 1},
                                       .stride_bytes = {ceil_div(keys.keys, 4) * 16},
                                       .box = {kIndexerKeys, 1, 1},
                                       .swizzle = Swizzle::none})};
}
inline IndexerMaps maps_of(const IndexerTask& task, const PagedIndexerKeys& keys) {
    const bool there = keys.page_count > 0;  // else nothing is copied, and any address will do
    return {.codes = make_tensor_map({.global = there ? static_cast<const void*>(keys.pages) : task.queries,
                                      .rank = 3,
                                      .size = {kIndexChannels, kIndexerKeys, there ? keys.page_count : 1},
                                      .stride_bytes = {kIndexChannels, kIndexPageBytes},
                                      .box = {kIndexChannels, kIndexerKeys, 1}}),
            .scales = {}};
}

// Which pages a block's tiles are; no table: those of their own number.
STRATA_HD const std::int32_t* table_of(const IndexerKeys&, long) { return nullptr; }
STRATA_HD const std::int32_t* table_of(const PagedIndexerKeys& keys, long first_row) {
    return keys.table + first_row / keys.next_n * keys.table_width;
}
STRATA_HD bool is_there(const IndexerKeys&, int) { return true; }
STRATA_HD bool is_there(const PagedIndexerKeys& keys, int page) { return page >= 0 && page < keys.page_count; }

// What lies behind the last key is zero.
template <class Thread>
STRATA_BODY void load_page(Thread& t, const IndexerKeys&, const IndexerMaps& maps, int page, void* codes, void* scales,
                           typename Thread::Barrier* full) {
    load_box(t, codes, maps.codes, full, 0, page * kIndexerKeys, 0);
    load_box(t, scales, maps.scales, full, page * kIndexerKeys, 0);
}
template <class Thread>
STRATA_BODY void load_page(Thread& t, const PagedIndexerKeys& keys, const IndexerMaps& maps, int page, void* codes,
                           void* scales, typename Thread::Barrier* full) {
    load_box(t, codes, maps.codes, full, 0, 0, page);
    load_run(t, scales, keys.pages + long(page) * kIndexPageBytes + kIndexerTileBytes, kIndexerKeys * 4, full);
}

STRATA_HD Positions seen_by(const IndexerKeys& keys, long row, long columns) {
    return within(columns, keys.begin ? keys.begin[row] : 0, keys.end ? keys.end[row] : int(columns));
}

STRATA_HD Positions seen_by(const PagedIndexerKeys& keys, long row, long columns) {
    const int context = keys.contexts[row / keys.next_n], later = keys.next_n - 1 - int(row % keys.next_n);
    return within(columns, 0, context < later ? 0 : context - later);
}

template <class Plan, class Keys, class Thread>
class IndexerBlock {
    static constexpr float kNone = -std::numeric_limits<float>::infinity();
    static constexpr int kKept = Plan::kAtOnce > 1 ? Plan::kAtOnce / 2 : 1;  // logits a lane has in the end

public:
    STRATA_BODY IndexerBlock(Thread& t, const IndexerTask& task, const Keys& keys, const IndexerMaps& maps)
        : t_(t),
          task_(task),
          keys_(keys),
          maps_(maps),
          first_row_(long(t.blocks() - 1 - t.block()) * Plan::kQueries),  // causal rows: the longest first
          rows_(task.rows - first_row_ < Plan::kQueries ? int(task.rows - first_row_) : Plan::kQueries),
          warpgroup_(t.shuffle(t.warp() / 4, 0)),  // so that the compiler sees that a warp agrees
          key_(t.warp() % 4 * 16 + t.lane() / 4),
          tiles_(t.shared() + Plan::kQueryBytes + warpgroup_ * kIndexerStages * kIndexerTileBytes),
          scales_(reinterpret_cast<float*>(t.shared() + Plan::kScalesAt) + warpgroup_ * kIndexerStages * kIndexerKeys),
          weights_(reinterpret_cast<float*>(t.shared() + Plan::kWeightsAt)),
          bounds_(reinterpret_cast<Positions*>(t.shared() + Plan::kBoundsAt)),
          full_(reinterpret_cast<Barrier*>(t.shared() + Plan::kFullAt) + warpgroup_ * kIndexerStages),
          present_(reinterpret_cast<int*>(t.shared() + Plan::kPresentAt) + warpgroup_ * kIndexerStages),
          table_(table_of(keys, first_row_)) {}

    STRATA_BODY void run() {
        if (loads()) {
            for (int stage = 0; stage < kIndexerStages; ++stage) t_.open_barrier(full_ + stage, 1);
            t_.publish_barriers();
        }
        load_queries();
        copies_.close_group();
        t_.sync();  // bounds and barriers are there
        choose_tiles();
        if (loads()) {
            for (int ahead = 0; ahead < kAsked; ++ahead) ask(ahead);
            for (int turn = 0; turn < kIndexerStages - 1; ++turn) load(turn);
        }
        copies_.template wait_for_all_but<0>();
        t_.show_to_async_copies();
        t_.sync();  // queries are there
        for (int turn = 0; tile_at(turn) < last_; ++turn) {
            t_.sync_group(1 + warpgroup_, 128);  // the tile before has been read
            if (loads()) load(turn + kIndexerStages - 1);
            t_.wait(full_ + turn % kIndexerStages, turn / kIndexerStages % 2);
            STRATA_UNROLL
            for (int round = 0; round < Plan::kRounds; ++round) score(turn, round);
        }
        if (task_.fill_outside && task_.logits) fill_outside();
    }

private:
    using Barrier = typename Thread::Barrier;
    STRATA_BODY bool loads() const { return t_.thread() % kWarpgroup == 0; }

    STRATA_BODY void load_queries() {
        const auto* from =
            reinterpret_cast<const std::uint8_t*>(task_.queries) + first_row_ * Plan::kHeads * long(kIndexChannels);
        for (int chunk = t_.thread(); chunk < rows_ * Plan::kHeads * 8; chunk += t_.threads())
            copies_.copy16(t_.shared() + swizzled_offset(chunk / 8, chunk % 8 * 16), from + chunk * 16L);
        for (int i = t_.thread(); i < rows_ * Plan::kHeads; i += t_.threads()) {
            const int round = i / Plan::kColumns, column = i % Plan::kColumns;
            weights_of(round, column % 8 / 2)[column / 8 * 2 + column % 2] =
                task_.weights[first_row_ * Plan::kHeads + i];
        }
        if (t_.thread() >= Plan::kQueries) return;
        const bool is_there = t_.thread() < rows_;
        const long row = first_row_ + t_.thread();
        const Positions seen = is_there ? seen_by(keys_, row, task_.columns) : Positions{0, 0};
        bounds_[t_.thread()] = seen;
        if (is_there && task_.maxima && t_.row() == 0)
            task_.counts[row] = std::int32_t(ceil_div(seen.end, kBlockOfPositions));
    }

    STRATA_BODY float* weights_of(int round, int lane) const {
        return weights_ + (round * 4 + lane) * Plan::kLaneWeights;
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

    // Pages are asked for some turns before they are loaded: nothing waits for the table.
    STRATA_BODY void ask(int turn) {
        for (int i = 0; i + 1 < kAsked; ++i) asked_[i] = asked_[i + 1];
        asked_[kAsked - 1] = tile_at(turn) < last_ ? page_of(tile_at(turn)) : -1;
    }
    STRATA_BODY int page_of(int tile) const { return table_ ? table_[tile] : tile; }
    STRATA_BODY void load(int turn) {
        if (tile_at(turn) >= last_) return;
        const int stage = turn % kIndexerStages;
        const int page = asked_[0];
        ask(turn + kAsked);
        present_[stage] = is_there(keys_, page);
        if (!is_there(keys_, page)) return t_.arrive(full_ + stage);
        t_.arrive_expecting(full_ + stage, kIndexerTileBytes + kIndexerKeys * 4);
        load_page(t_, keys_, maps_, page, tiles_ + stage * kIndexerTileBytes, scales_ + stage * kIndexerKeys,
                  full_ + stage);
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
        weigh(sum, tile_at(turn), stage, round);
    }

    // The four lanes of a row hold its columns 8 j + 2 lane and the next; `half` is the row eight keys further.
    STRATA_BODY void weigh(const WgmmaSum<Plan::kColumns>& sum, int tile, int stage, int round) {
        constexpr int kValues = Plan::kAtOnce * 2, kPerQuery = Plan::kHeads / 8;
        const float* weights = weights_of(round, t_.lane() % 4);
        // Of each query, for either half.
        float logits[kValues] = {};
        STRATA_UNROLL
        for (int two = 0; two < Plan::kColumns / 16; ++two) {
            const Pack<float> four = load_pack(weights, two * 4);
            STRATA_UNROLL
            for (int i = 0; i < 8; ++i) {  // of j = 2 two, then of the next: both columns, and again for the other half
                const int j = two * 2 + i / 4;
                logits[j / kPerQuery * 2 + i % 4 / 2] += four.at[i / 4 * 2 + i % 2] * max_of(sum.at[two * 8 + i], 0.0f);
            }
        }
        // Lanes add up what they have by giving each other the half that they do not keep. Each keeps, and stores, one
        // half and one query in two, so that eight neighbours go to 32 bytes in a row.
        const int half = t_.lane() % 2, second = t_.lane() % 4 / 2;
        float of_half[Plan::kAtOnce];
        STRATA_UNROLL
        for (int query = 0; query < Plan::kAtOnce; ++query) {
            const auto [mine, others] = exchanged(half, logits[query * 2], logits[query * 2 + 1], 1);
            of_half[query] = mine + others;
        }
        const Place at{.position = tile * kIndexerKeys + key_ + half * 8, .query = round * Plan::kAtOnce};
        const float scale = scales_[stage * kIndexerKeys + key_ + half * 8];
        float most[kKept];
        STRATA_UNROLL
        for (int pair = 0; pair < kKept; ++pair) {
            const bool is_pair = Plan::kAtOnce > 1;
            const auto [mine, others] =
                exchanged(second, of_half[pair * 2], of_half[is_pair ? pair * 2 + 1 : pair * 2], 2);
            const float logit = present_[stage] ? (mine + others) * scale : kNone;
            most[pair] = store({at.position, at.query + pair * 2 + (is_pair ? second : 0)}, is_pair || !second, logit);
        }
        if (task_.maxima) store_maxima(at, most);
    }
    struct Exchanged {
        float mine, others;
    };
    STRATA_BODY Exchanged exchanged(int which, float first, float second, int lanes) {
        return {which ? second : first, t_.shuffle_xor(which ? first : second, lanes)};
    }

    struct Place {
        int position, query;
    };
    // Returns what counts towards the maximum of a block: a NaN loses to any number there.
    STRATA_BODY float store(const Place& at, bool is_there, float logit) {
        const Positions seen = is_there ? bounds_[at.query] : Positions{0, 0};  // of a row that is not there: nothing
        const bool is_seen = at.position >= seen.begin && at.position < seen.end;
        if (is_seen && task_.logits) task_.logits[(first_row_ + at.query) * task_.stride + at.position] = logit;
        return is_seen ? logit : kNone;
    }
    // Eight lanes have a block's keys; of two pairs of queries every other one goes on with the second.
    STRATA_BODY void store_maxima(const Place& at, const float (&most_of)[kKept]) {
        const int second_pair = kKept > 1 && t_.lane() / 4 % 2, second = Plan::kAtOnce > 1 && t_.lane() % 4 / 2;
        const auto [mine, others] = exchanged(second_pair, most_of[0], most_of[kKept - 1], 4);
        float most = fmaxf(mine, others);
        STRATA_UNROLL
        for (int lanes = 8; lanes < 32; lanes *= 2) most = fmaxf(most, t_.shuffle_xor(most, lanes));
        most = fminf(fmaxf(most, kNone), FLT_MAX);  // NaNs alone are none; infinity is for newest blocks
        const int query = at.query + second_pair * 2 + second;
        const int position = int(unsigned(at.position) / kBlockOfPositions);  // unsigned: a shift
        const int end = bounds_[query].end;
        if (t_.lane() >= (Plan::kAtOnce > 1 ? 4 * kKept : 2) || position * kBlockOfPositions >= end) return;
        const bool is_pinned = (position + 1) * kBlockOfPositions > end;
        task_.maxima[(first_row_ + query) * task_.maxima_stride + position] = is_pinned ? -kNone : most;
    }

    STRATA_BODY void fill_outside() {
        const int first = t_.row() * t_.threads() + t_.thread(), step = t_.rows() * t_.threads();
        for (int query = 0; query < rows_; ++query) {
            float* row = task_.logits + (first_row_ + query) * task_.stride;
            for (int at = first; at < bounds_[query].begin; at += step) row[at] = kNone;
            for (long at = bounds_[query].end + first; at < task_.columns; at += step) row[at] = kNone;
        }
    }

    static constexpr int kAsked = 2;             // pages that are known before they are loaded
    static constexpr int kBlockOfPositions = 8;  // a candidate block of V4.1 (top_k_task.hpp)

    Thread& t_;
    const IndexerTask& task_;
    const Keys& keys_;
    const IndexerMaps& maps_;
    const long first_row_;
    const int rows_;
    const int warpgroup_;
    const int key_;              // of a tile: this thread's, and the one 8 further
    std::uint8_t* const tiles_;  // [stages][64][128], swizzled
    float* const scales_;        // [stages][64]
    float* const weights_;       // [rounds][4 lanes][of its columns]
    Positions* const bounds_;    // [queries]
    Barrier* const full_;        // [stages]
    int* const present_;         // [stages]
    const std::int32_t* const table_;
    int asked_[kAsked] = {};    // pages of the next turns; negative: there is none
    int first_ = 0, last_ = 0;  // tiles
    AsyncCopies copies_;
    WarpgroupProducts products_;
};

template <class Plan, class Keys, class Thread>
STRATA_BODY void indexer_logits(Thread& t, const IndexerTask& task, const Keys& keys, const IndexerMaps& maps) {
    IndexerBlock<Plan, Keys, Thread>(t, task, keys, maps).run();
}

}  // namespace strata
