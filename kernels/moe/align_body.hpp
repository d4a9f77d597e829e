// The order by expert, thread by thread, in one launch of one cluster: each warp of each block has a run of
// neighbouring pairs and counts them per expert; sums over the warps before it, the blocks before it (by the cluster's
// shared memory) and the experts before give every warp the slot at which its run starts. No order of atomics decides
// anything: the same input gives the same slots.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct AlignTask {
    const std::int32_t* expert_of_pair = nullptr;  // [pairs]; outside [first_expert, first_expert + experts): not here
    std::int32_t* counts = nullptr;                // [experts]
    std::int32_t* offsets = nullptr;               // [experts + 1], multiples of `tile`
    std::int32_t* pair_of_slot = nullptr;          // [slots], -1 in padding and behind the last expert
    std::int32_t* slot_of_pair = nullptr;          // [pairs], -1 where the expert is not here
    std::int32_t* expert_of_tile = nullptr;        // [slots / tile], -1 behind the last expert
    long pairs = 0;
    long slots = 0;  // slots_for(...) of them always suffice
    int first_expert = 0;
    int experts = 0;  // at most kAlignThreads
    int tile = 128;   // rows: a power of two
};

inline constexpr int kAlignThreads = 1024;
inline constexpr int kAlignWarps = kAlignThreads / 32;
inline constexpr int kAlignMostExperts = kAlignThreads;
inline constexpr int kAlignMostBlocks = 16;

// Every expert with pairs may waste all but one row of a tile.
inline long slots_for(long pairs, int experts, int tile) {
    const long wasted = std::min<long>(pairs, experts) * (tile - 1);
    return (pairs + wasted) / tile * tile;
}

inline void require_valid(const AlignTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("align: " + what); };
    if (task.pairs < 0 || task.pairs > 0x7FFF0000L) refuse(std::to_string(task.pairs) + " pairs; expected 0 to 2^31");
    if (task.experts < 1 || task.experts > kAlignMostExperts)
        refuse(std::to_string(task.experts) + " experts; expected 1 to " + std::to_string(kAlignMostExperts));
    if (task.tile < 1 || (task.tile & (task.tile - 1)) != 0)
        refuse("tiles of " + std::to_string(task.tile) + " rows; expected a power of two");
    if (task.slots < slots_for(task.pairs, task.experts, task.tile) || task.slots % task.tile != 0 ||
        task.slots > 0x7FFF0000L)
        refuse(std::to_string(task.slots) + " slots; expected whole tiles, at least " +
               std::to_string(slots_for(task.pairs, task.experts, task.tile)) + " and fewer than 2^31");
    if (!task.counts || !task.offsets || (task.slots > 0 && (!task.pair_of_slot || !task.expert_of_tile)) ||
        (task.pairs > 0 && (!task.expert_of_pair || !task.slot_of_pair)))
        refuse("a buffer is missing");
}

// Few pairs need no cluster; more than 8 blocks need a cluster that only some GPUs form, so only many pairs ask for it.
inline Grid grid_of(const AlignTask& task) {
    const int cluster = task.pairs <= 4096 ? 1 : task.pairs <= 65536 ? 8 : 16;
    return {.blocks = cluster,
            .threads = kAlignThreads,
            .cluster = cluster,
            .shared_bytes = std::size_t(kAlignWarps + 4) * std::size_t(task.experts) * 4 + kAlignWarps * 4};
}

// Where the parts of the shared memory are.
struct AlignShared {
    std::int32_t* count;   // [warp][expert]: pairs of the warp; then, of warps before it and of what it has placed
    std::int32_t* total;   // [expert] of the block: read by the others
    std::int32_t* all;     // [expert] of the cluster
    std::int32_t* offset;  // [expert]: its first slot
    std::int32_t* start;   // [expert]: the first slot of this block's pairs
    std::int32_t* sums;    // [warp]
};

template <class Thread>
STRATA_BODY AlignShared align_shared(Thread& t, int experts) {
    auto* at = reinterpret_cast<std::int32_t*>(t.shared()) + kAlignWarps * experts;
    return {at - kAlignWarps * experts, at, at + experts, at + 2 * experts, at + 3 * experts, at + 4 * experts};
}

// call(lane's pair, its expert here or -1) for each 32 pairs of this warp's run, ascending; four loads are in flight.
template <class Thread, class Call>
STRATA_BODY void for_pairs_of_warp(Thread& t, const AlignTask& task, Call call) {
    const long warps = long(t.blocks()) * kAlignWarps;
    const long run = ceil_div(ceil_div(task.pairs, warps), 32) * 32;
    const long first = (long(t.block()) * kAlignWarps + t.warp()) * run;
    for (long from = first; from < first + run && from < task.pairs; from += 128) {
        std::int32_t expert[4];
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i) {
            const long pair = from + i * 32 + t.lane();
            const bool mine = i * 32 < first + run - from && pair < task.pairs;
            expert[i] = mine ? task.expert_of_pair[pair] - task.first_expert : -1;
        }
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i)
            if (i * 32 < first + run - from)
                call(from + i * 32 + t.lane(), expert[i] >= 0 && expert[i] < task.experts ? expert[i] : -1);
    }
}

// One thread an expert: counts of the block's warps become counts of the warps before; returns the block's.
template <class Thread>
STRATA_BODY std::int32_t add_up_warps(const AlignTask& task, std::int32_t* count) {
    std::int32_t sum = 0;
    for (int warp = 0; warp < kAlignWarps; warp += 8) {
        std::int32_t of_warp[8];
        STRATA_UNROLL
        for (int i = 0; i < 8; ++i) of_warp[i] = count[(warp + i) * task.experts];
        STRATA_UNROLL
        for (int i = 0; i < 8; ++i) {
            count[(warp + i) * task.experts] = sum;
            sum += of_warp[i];
        }
    }
    return sum;
}

struct OfBlocks {
    std::int32_t before = 0;  // pairs in lower blocks
    std::int32_t all = 0;
};

// One thread an expert. All reads of other blocks' memory are on their way before the first is added.
template <class Thread>
STRATA_BODY OfBlocks add_up_blocks(Thread& t, std::int32_t* total) {
    if (t.blocks() == 1) return {0, *total};
    std::int32_t of_block[kAlignMostBlocks];
    STRATA_UNROLL
    for (int rank = 0; rank < kAlignMostBlocks; ++rank)
        of_block[rank] = rank < t.blocks() ? *t.shared_of(rank, total) : 0;
    OfBlocks sum;
    STRATA_UNROLL
    for (int rank = 0; rank < kAlignMostBlocks; ++rank) {
        sum.before += rank < t.block() ? of_block[rank] : 0;
        sum.all += of_block[rank];
    }
    return sum;
}

// The sum of `value` of lower threads of the block.
template <class Thread>
STRATA_BODY std::int32_t block_exclusive_sum(Thread& t, std::int32_t value, std::int32_t* sums) {
    const std::int32_t below = warp_exclusive_sum(t, value);
    if (t.lane() == 31) sums[t.warp()] = below + value;
    t.sync();
    std::int32_t before = 0;
    for (int warp = 0; warp < t.warp(); ++warp) before += sums[warp];
    return before + below;
}

// Counts, offsets and where this block's pairs start.
template <class Thread>
STRATA_BODY void find_starts(Thread& t, const AlignTask& task, const AlignShared& shared) {
    const int expert = t.thread();
    const bool stands = expert < task.experts;
    if (stands) shared.total[expert] = add_up_warps<Thread>(task, shared.count + expert);
    if (t.blocks() > 1) t.sync_cluster();
    const OfBlocks pairs = stands ? add_up_blocks(t, shared.total + expert) : OfBlocks{};
    const std::int32_t rows = (pairs.all + task.tile - 1) & -task.tile;
    const std::int32_t offset = block_exclusive_sum(t, rows, shared.sums);
    if (stands) {
        shared.all[expert] = pairs.all;
        shared.offset[expert] = offset;
        shared.start[expert] = offset + pairs.before;
    }
    if (stands && t.block() == 0) {
        task.counts[expert] = pairs.all;
        task.offsets[expert] = offset;
        if (expert == task.experts - 1) task.offsets[task.experts] = offset + rows;
    }
    t.sync();
}

// Stable: of the lanes with the same expert the lower has the lower slot, and `count` moves on behind them.
template <class Thread>
STRATA_BODY void place_pairs(Thread& t, const AlignTask& task, const AlignShared& shared) {
    std::int32_t* count = shared.count + t.warp() * task.experts;
    for_pairs_of_warp(t, task, [&](long pair, std::int32_t expert) {
        const unsigned same = t.match_any(unsigned(expert));
        const int below = Thread::ones(same & ((1u << t.lane()) - 1));
        const std::int32_t slot = expert >= 0 ? shared.start[expert] + count[expert] + below : -1;
        if (pair < task.pairs) task.slot_of_pair[pair] = slot;
        if (slot >= 0) task.pair_of_slot[slot] = std::int32_t(pair);
        t.sync_warp();
        if (expert >= 0 && below == 0) count[expert] += Thread::ones(same);
        t.sync_warp();
    });
}

template <class Thread>
STRATA_BODY void fill(Thread& t, std::int32_t* at, long from, long to, std::int32_t value) {
    for (long i = from + t.lane(); i < to; i += 32) at[i] = value;
}

// What no pair writes: padding, and which expert a tile belongs to. A warp an expert, and one for what is behind them.
template <class Thread>
STRATA_BODY void fill_padding(Thread& t, const AlignTask& task, const AlignShared& shared) {
    const int warps = t.blocks() * kAlignWarps;
    for (int expert = t.block() * kAlignWarps + t.warp(); expert < task.experts; expert += warps) {
        const long offset = shared.offset[expert], last = offset + shared.all[expert];
        const long end = ceil_div(last, task.tile) * task.tile;
        fill(t, task.pair_of_slot, last, end, -1);
        fill(t, task.expert_of_tile, offset / task.tile, end / task.tile, expert);
    }
    const int last = task.experts - 1;
    const long used = ceil_div(shared.offset[last] + shared.all[last], task.tile) * task.tile;
    const long first = long(t.block()) * kAlignThreads + t.thread(), step = long(t.blocks()) * kAlignThreads;
    for (long slot = used + first; slot < task.slots; slot += step) task.pair_of_slot[slot] = -1;
    for (long tile = used / task.tile + first; tile < task.slots / task.tile; tile += step)
        task.expert_of_tile[tile] = -1;
}

template <class Thread>
STRATA_BODY void align(Thread& t, const AlignTask& task) {
    const AlignShared shared = align_shared(t, task.experts);
    for (int i = t.thread(); i < kAlignWarps * task.experts; i += kAlignThreads) shared.count[i] = 0;
    t.sync();
    std::int32_t* count = shared.count + t.warp() * task.experts;
    for_pairs_of_warp(t, task, [&](long, std::int32_t expert) {
        if (expert >= 0) Thread::atomic_add(count + expert, 1);
    });
    t.sync();
    find_starts(t, task, shared);
    place_pairs(t, task, shared);
    fill_padding(t, task, shared);
    if (t.blocks() > 1) t.sync_cluster();  // nobody leaves while others read its totals
}

}  // namespace strata
