// Dispatch, thread by thread. The layout says which row of the send buffer a token becomes: ranks take the place of
// experts in the order by expert (kernels/moe/align_body.hpp), and only the first pair of a token with a rank counts;
// the same launch counts the pairs of each expert, which the blocks send to the block that adds them up.
// It is data, so that other tensors of the same tokens are packed by it again without deciding anew.
// Packing is a block a token: it is read once, quantised once, and written to all its rows with the experts that each
// destination holds and their weights.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/moe/align_body.hpp"
#include "kernels/moe/permute_body.hpp"
#include "kernels/quant/tile_lanes.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct DispatchLayoutTask {
    const std::int32_t* expert_of_pair = nullptr;  // [tokens][k]; outside the experts: nowhere
    std::int32_t* rank_of_pair = nullptr;          // [tokens][k], -1 where an earlier pair has that rank
    std::int32_t* expert_counts = nullptr;         // [experts]
    std::int32_t* rank_counts = nullptr;           // [ranks]
    std::int32_t* rank_offsets = nullptr;          // [ranks + 1], first row of each rank
    std::int32_t* pair_of_row = nullptr;           // [tokens * k]: the pair that a row was made for
    std::int32_t* rank_of_row = nullptr;           // [tokens * k]
    std::int32_t* row_of_pair = nullptr;           // [tokens][k]
    long tokens = 0;
    int k = 0;
    int experts = 0;
    int ranks = 0;
};

STRATA_HD AlignTask order_of(const DispatchLayoutTask& task) {
    return {.expert_of_pair = task.rank_of_pair,
            .counts = task.rank_counts,
            .offsets = task.rank_offsets,
            .pair_of_slot = task.pair_of_row,
            .slot_of_pair = task.row_of_pair,
            .expert_of_tile = task.rank_of_row,
            .pairs = task.tokens * task.k,
            .slots = task.tokens * task.k,
            .experts = task.ranks,
            .tile = 1};
}

inline constexpr int kLayoutMostExperts = 4096;

inline void require_valid(const DispatchLayoutTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("dispatch layout: " + what); };
    if (task.k < 1 || task.ranks < 1 || task.experts < 1 || task.experts > kLayoutMostExperts ||
        task.experts % task.ranks != 0)
        refuse("k " + std::to_string(task.k) + ", " + std::to_string(task.experts) + " experts on " +
               std::to_string(task.ranks) + " ranks; expected as many experts on each rank, at most " +
               std::to_string(kLayoutMostExperts));
    if (!task.expert_counts || (task.tokens > 0 && !task.expert_of_pair)) refuse("a buffer is missing");
    require_valid(order_of(task));
}

// Each block of the cluster adds up the counts of its share of the experts.
STRATA_HD int experts_of_block(int experts, int blocks) { return (experts + blocks - 1) / blocks; }

inline Grid grid_of(const DispatchLayoutTask& task) {
    Grid grid = grid_of(order_of(task));
    grid.shared_bytes += std::size_t(task.experts + grid.blocks * experts_of_block(task.experts, grid.blocks)) * 4;
    return grid;
}

STRATA_HD std::int32_t rank_of(std::int32_t expert, int experts, int ranks) {
    return expert < 0 || expert >= experts ? -1 : expert / (experts / ranks);
}

// Keys of the order by rank, counting experts on the way.
template <class Thread>
class ByRank {
public:
    STRATA_BODY ByRank(Thread& t, const DispatchLayoutTask& task)
        : task_(task),
          blocks_(t.blocks()),
          a_rank_(task.experts / task.ranks),
          share_(experts_of_block(task.experts, t.blocks())),
          counts_(align_shared(t, task.ranks).total + t.blocks() * task.ranks),
          of_blocks_(counts_ + task.experts) {}

    // Whether an earlier pair has the same rank is seen by a comparison with the rank's experts, without a division.
    STRATA_BODY std::int32_t key_of(int pair) const {
        const std::int32_t rank = rank_of(task_.expert_of_pair[pair], task_.experts, task_.ranks);
        bool found = rank < 0;
        for (int other = pair / task_.k * task_.k; other < pair; ++other)
            found = found || unsigned(task_.expert_of_pair[other]) - unsigned(rank * a_rank_) < unsigned(a_rank_);
        return found ? -1 : rank;
    }
    STRATA_BODY int bytes_expected(int block) const {
        const int mine = task_.experts - block * share_;
        return (mine < 0 ? 0 : mine < share_ ? mine : share_) * blocks_ * 4;
    }
    STRATA_BODY void begin(Thread& t) const {
        for (int expert = t.thread(); expert < task_.experts; expert += kAlignThreads) counts_[expert] = 0;
    }
    STRATA_BODY void count(Thread&, int pair, std::int32_t rank) const {
        const std::int32_t expert = task_.expert_of_pair[pair];
        if (unsigned(expert) < unsigned(task_.experts)) Thread::atomic_add(counts_ + expert, 1);
        task_.rank_of_pair[pair] = rank;
    }
    STRATA_BODY void tell(Thread& t, typename Thread::Mailbox* mail) const {
        for (int expert = t.thread(); expert < task_.experts; expert += kAlignThreads) {
            if (blocks_ == 1)
                task_.expert_counts[expert] = counts_[expert];
            else
                t.send(expert / share_, of_blocks_ + t.block() * share_ + expert % share_, counts_[expert], mail);
        }
    }
    STRATA_BODY void finish(Thread& t, typename Thread::Mailbox* mail) const {
        const int first = t.block() * share_;
        if (blocks_ == 1 || t.thread() >= share_ || first + t.thread() >= task_.experts) return;
        t.wait_for_mail(mail, 0);
        std::int32_t sum = 0;
        for (int block = 0; block < blocks_; ++block) sum += of_blocks_[block * share_ + t.thread()];
        task_.expert_counts[first + t.thread()] = sum;
    }

private:
    const DispatchLayoutTask& task_;
    int blocks_;
    int a_rank_;
    int share_;                // experts of a block, but the last
    std::int32_t* counts_;     // [experts] of this block
    std::int32_t* of_blocks_;  // [blocks][share_]: of this block's experts, as the blocks send them
};

template <class Thread>
STRATA_BODY void lay_out_dispatch(Thread& t, const DispatchLayoutTask& task) {
    align_by(t, order_of(task), ByRank<Thread>(t, task));
}

struct PackTask {
    const Bf16* in = nullptr;                      // [tokens][hidden]
    const std::int32_t* expert_of_pair = nullptr;  // [tokens][k]
    const float* weight_of_pair = nullptr;         // [tokens][k]
    const std::int32_t* row_of_pair = nullptr;     // [tokens][k], of the layout
    Bf16* out_bf16 = nullptr;                      // [rows][hidden], or
    E4m3* out_fp8 = nullptr;                       // [rows][hidden] with
    float* scales = nullptr;                       // [rows][hidden / 128]
    std::int32_t* local_experts = nullptr;         // [rows][k], of the destination's own; -1: not there
    float* weights = nullptr;                      // [rows][k], 0 for those
    long tokens = 0;
    long rows = 0;    // that there is room for
    long hidden = 0;  // a multiple of 128
    int k = 0;
    int experts = 0;
    int ranks = 0;
    bool power_of_two = false;  // scales
};

inline void require_valid(const PackTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("pack: " + what); };
    if (task.tokens < 0 || task.rows < 0 || task.hidden <= 0 || task.hidden % 128 != 0 || task.hidden > 0x3FFFFFFF)
        refuse(std::to_string(task.tokens) + " tokens of " + std::to_string(task.hidden) +
               " elements; the width must be a positive multiple of 128");
    if (task.k < 1 || task.ranks < 1 || task.experts < 1 || task.experts % task.ranks != 0)
        refuse(std::to_string(task.experts) + " experts on " + std::to_string(task.ranks) +
               " ranks; expected as many on each");
    if (task.tokens > 0 && (!task.in || !task.expert_of_pair || !task.weight_of_pair || !task.row_of_pair))
        refuse("a buffer to read is missing");
    if (task.rows > 0 &&
        (!task.out_bf16 == !task.out_fp8 || !task.out_fp8 != !task.scales || !task.local_experts || !task.weights))
        refuse("rows go either to out_bf16 or to out_fp8 and scales, and local_experts and weights are needed");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.out_bf16) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.out_fp8) % 16 != 0)
        refuse("rows must be aligned to 16 bytes");
}

// BF16 rows are moved as into expert order.
STRATA_HD PermuteTask rows_of(const PackTask& task) {
    return {.in = reinterpret_cast<const std::uint8_t*>(task.in),
            .out = reinterpret_cast<std::uint8_t*>(task.out_bf16),
            .slot_of_pair = task.row_of_pair,
            .tokens = task.tokens,
            .slots = task.rows,
            .row_bytes = task.hidden * 2,
            .k = task.k};
}

inline constexpr int kPackMostWarps = 14;   // for codes: four tiles each, and further ones in further turns
inline constexpr int kPackExpertWarps = 2;  // beside them, so that the block waits once for both
inline constexpr int kPackMostThreads = (kPackMostWarps + kPackExpertWarps) * 32;

inline Grid grid_of(const PackTask& task) {
    if (!task.out_fp8) return grid_of_rows(rows_of(task));
    const long fours = ceil_div(task.hidden, 128 * kTilesAbreast), turns = ceil_div(fours, kPackMostWarps);
    return {.blocks = int(task.tokens), .threads = (int(ceil_div(fours, turns)) + kPackExpertWarps) * 32};
}

// Codes that a lane writes to every row: those of its packs 0 and 1, put together with its neighbour's so that both
// have sixteen bytes in a row.
struct CodesOfTile {
    Pack<std::uint32_t> at;
    int first;  // in the tile
};

template <class Thread>
STRATA_BODY CodesOfTile beside_each_other(Thread& t, const Codes& low, const Codes& high) {
    const bool odd = t.lane() % 2;
    const Codes kept = odd ? high : low, given = odd ? low : high;
    const Codes got{{t.shuffle_xor(given.at[0], 1), t.shuffle_xor(given.at[1], 1)}};
    if (odd) return {{{got.at[0], got.at[1], kept.at[0], kept.at[1]}}, pack_in_tile(t, 1) - 8};
    return {{{kept.at[0], kept.at[1], got.at[0], got.at[1]}}, pack_in_tile(t, 0)};
}

// Quantises one token and writes it to the rows of its pairs from `first_pair` on. The first `warps` warps do, each
// four tiles at a time.
template <class Thread>
STRATA_BODY void pack_codes(Thread& t, const PackTask& task, long token, int first_pair, int warps) {
    const int pairs = task.k - first_pair < 32 ? task.k - first_pair : 32;
    const std::int32_t found = t.lane() < pairs ? task.row_of_pair[token * task.k + first_pair + t.lane()] : -1;
    const std::int32_t row_of_lane = found < task.rows ? found : -1;
    const int hidden = int(task.hidden), tiles = hidden / 128;
    for (int first = t.warp() * kTilesAbreast; first < tiles; first += warps * kTilesAbreast) {
        const int tile = first + t.lane() / kTileLanes;
        PackedBf16 packs[kTilePacks];
        STRATA_UNROLL
        for (int i = 0; i < kTilePacks; ++i)
            packs[i] =
                tile < tiles ? load_packed(task.in, token * hidden + tile * 128 + pack_in_tile(t, i)) : PackedBf16{};
        std::uint32_t most = larger_halves(largest_magnitudes(packs[0]), largest_magnitudes(packs[1]));
        STRATA_UNROLL
        for (int step = kTileLanes / 2; step > 0; step /= 2) most = larger_halves(most, t.shuffle_xor(most, step));
        const TileScale scale = tile_scale(low_of(larger_halves(most, most >> 16)), task.power_of_two);
        const auto codes = [&](int i) {
            return codes_of([&](int x) { return number_at(packs[i], x) * scale.factor; });
        };
        const CodesOfTile mine = beside_each_other(t, codes(0), codes(1));
        auto* to = reinterpret_cast<std::uint8_t*>(task.out_fp8) + tile * 128 + mine.first;
        float* scale_to = task.scales + tile;
        for (int pair = 0; pair < pairs; ++pair) {
            const std::int32_t row = t.shuffle(row_of_lane, pair);
            if (row < 0 || tile >= tiles) continue;
            store_sixteen(to + row_start(row, hidden), 0, mine.at);
            if (t.lane() % kTileLanes == 0) scale_to[row_start(row, tiles)] = scale.scale;
        }
    }
}

// What a destination must know of a token: which of its own experts, and with what weights. So many threads from
// `first` on do it; what they read is on its way before they know whether it is needed.
template <class Thread>
STRATA_BODY void pack_experts(Thread& t, const PackTask& task, long token, int first, int threads) {
    const int a_rank = task.experts / task.ranks;
    for (int i = t.thread() - first; i < task.k * task.k; i += threads) {
        const long pair = token * task.k + i / task.k, other = token * task.k + i % task.k;
        const std::int32_t row = task.row_of_pair[pair], expert = task.expert_of_pair[other];
        const std::int32_t rank = rank_of(task.expert_of_pair[pair], task.experts, task.ranks);
        const float weight = task.weight_of_pair[other];
        if (row < 0 || row >= task.rows) continue;
        const bool there = rank >= 0 && rank_of(expert, task.experts, task.ranks) == rank;
        task.local_experts[long(row) * task.k + i % task.k] = there ? expert - rank * a_rank : -1;
        task.weights[long(row) * task.k + i % task.k] = there ? weight : 0;
    }
}

template <class Thread>
STRATA_BODY void pack_as_fp8(Thread& t, const PackTask& task) {
    const int warps = t.warps() - kPackExpertWarps;
    if (t.warp() >= warps) return pack_experts(t, task, t.block(), warps * 32, kPackExpertWarps * 32);
    for (int pair = 0; pair < task.k; pair += 32) pack_codes(t, task, t.block(), pair, warps);
}

template <class Thread>
STRATA_BODY void pack_as_bf16(Thread& t, const PackTask& task) {
    const PermuteTask rows = rows_of(task);
    const PartOfRow mine = part_of_block(rows, t.block());
    BulkStores stores;
    move_part(t, rows, mine, stores);
    if (mine.part == 0) pack_experts(t, task, mine.token, 0, t.threads());
    stores.wait_until_read<0>();
}

template <bool kFp8, class Thread>
STRATA_BODY void pack_tokens(Thread& t, const PackTask& task) {
    if constexpr (kFp8)
        pack_as_fp8(t, task);
    else
        pack_as_bf16(t, task);
}

}  // namespace strata
