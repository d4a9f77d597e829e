// The order by expert, thread by thread, in one launch of one cluster: each warp of each block has a run of
// neighbouring pairs and counts them per expert; sums over the warps before it, the blocks before it (which send each
// other their counts) and the experts before give every warp the slot at which its run starts. No order of atomics
// decides anything: the same input gives the same slots.
// What pairs are put in order by is a Keys: here their experts, elsewhere what follows from these.
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
    return {
        .blocks = cluster,
        .threads = kAlignThreads,
        .cluster = cluster,
        .shared_bytes = 16 + std::size_t(kAlignWarps + 3 + cluster) * std::size_t(task.experts) * 4 + kAlignWarps * 4};
}

// The order by expert. count() is called once for each pair, tell() when the block's are all counted, and what it sends
// to the mailbox has come to all blocks before finish().
struct ByExpert {
    const AlignTask& task;
    STRATA_BODY std::int32_t key_of(int pair) const {
        const unsigned expert = unsigned(task.expert_of_pair[pair]) - unsigned(task.first_expert);
        return expert < unsigned(task.experts) ? std::int32_t(expert) : -1;
    }
    STRATA_BODY int bytes_expected(int) const { return 0; }
    template <class Thread>
    STRATA_BODY void begin(Thread&) const {}
    template <class Thread>
    STRATA_BODY void count(Thread&, int, std::int32_t) const {}
    template <class Thread>
    STRATA_BODY void tell(Thread&, typename Thread::Mailbox*) const {}
    template <class Thread>
    STRATA_BODY void finish(Thread&, typename Thread::Mailbox*) const {}
};

// Where the parts of the shared memory are.
template <class Thread>
struct AlignShared {
    typename Thread::Mailbox* mail;  // for `total`
    std::int32_t* count;   // [warp][expert]: pairs of the warp; then, of warps before it and of what it has placed
    std::int32_t* all;     // [expert] of the cluster
    std::int32_t* offset;  // [expert]: its first slot
    std::int32_t* start;   // [expert]: the first slot of this block's pairs
    std::int32_t* sums;    // [warp]
    std::int32_t* total;   // [block][expert]: as the blocks send them
};

template <class Thread>
STRATA_BODY AlignShared<Thread> align_shared(Thread& t, int experts) {
    static_assert(sizeof(typename Thread::Mailbox) <= 16);
    auto* count = reinterpret_cast<std::int32_t*>(t.shared() + 16);
    std::int32_t* behind = count + kAlignWarps * experts;
    std::int32_t* sums = behind + 3 * experts;
    return {.mail = reinterpret_cast<typename Thread::Mailbox*>(t.shared()),
            .count = count,
            .all = behind,
            .offset = behind + experts,
            .start = behind + 2 * experts,
            .sums = sums,
            .total = sums + kAlignWarps};
}

// A warp's run of pairs, and the experts of its first 128, which are asked for before anything else is done.
struct WarpRun {
    int first, end;
    std::int32_t expert[4];
};

// The lane's of 128 pairs from `from` on: its key, or -1.
template <class Thread, class Keys>
STRATA_BODY void load_experts(Thread& t, const Keys& keys, int from, int end, std::int32_t (&expert)[4]) {
    STRATA_UNROLL
    for (int i = 0; i < 4; ++i) {
        const int pair = from + i * 32 + t.lane();
        expert[i] = pair < end ? keys.key_of(pair) : -1;
    }
}

template <class Thread, class Keys>
STRATA_BODY WarpRun run_of_warp(Thread& t, const AlignTask& task, const Keys& keys) {
    const unsigned warps = unsigned(t.blocks()) * kAlignWarps;
    const unsigned run = ((unsigned(task.pairs) + warps - 1) / warps + 31) / 32 * 32;
    const int first = int((unsigned(t.block()) * kAlignWarps + unsigned(t.warp())) * run);
    const int last = first + int(run), pairs = int(task.pairs);
    WarpRun mine{.first = first, .end = last < pairs ? last : pairs, .expert = {}};
    load_experts(t, keys, first, mine.end, mine.expert);
    return mine;
}

// call(lane's pair, its expert here or -1) for each 32 pairs of this warp's run, ascending; four loads are in flight.
template <class Thread, class Keys, class Call>
STRATA_BODY void for_pairs(Thread& t, const Keys& keys, const WarpRun& run, Call call) {
    std::int32_t expert[4]{run.expert[0], run.expert[1], run.expert[2], run.expert[3]};
    for (int from = run.first; from < run.end; from += 128) {
        if (from != run.first) load_experts(t, keys, from, run.end, expert);
        STRATA_UNROLL
        for (int i = 0; i < 4; ++i)
            if (i * 32 < run.end - from) call(from + i * 32 + t.lane(), expert[i]);
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

// One thread an expert, whose pairs in this block `mine` are: told to all blocks, and heard of all.
template <class Thread>
STRATA_BODY OfBlocks add_up_blocks(Thread& t, const AlignShared<Thread>& shared, int experts, std::int32_t mine) {
    if (t.blocks() == 1) return {0, mine};
    for (int rank = 0; rank < t.blocks(); ++rank)
        t.send(rank, shared.total + t.block() * experts + t.thread(), mine, shared.mail);
    t.wait_for_mail(shared.mail, 0);
    OfBlocks sum;
    STRATA_UNROLL
    for (int rank = 0; rank < kAlignMostBlocks; ++rank) {
        const std::int32_t of_block = rank < t.blocks() ? shared.total[rank * experts + t.thread()] : 0;
        sum.before += rank < t.block() ? of_block : 0;
        sum.all += of_block;
    }
    return sum;
}

// The sum of `value` of lower threads of the block.
template <class Thread>
STRATA_BODY std::int32_t block_exclusive_sum(Thread& t, std::int32_t value, std::int32_t* sums) {
    const std::int32_t below = warp_exclusive_sum(t, value);
    if (t.lane() == 31) sums[t.warp()] = below + value;
    t.sync();
    return warp_sum(t, t.lane() < t.warp() ? sums[t.lane()] : 0) + below;
}

// Counts, offsets and where this block's pairs start.
template <class Thread>
STRATA_BODY void find_starts(Thread& t, const AlignTask& task, const AlignShared<Thread>& shared) {
    const int expert = t.thread();
    const bool stands = expert < task.experts;
    const OfBlocks pairs =
        stands ? add_up_blocks(t, shared, task.experts, add_up_warps<Thread>(task, shared.count + expert)) : OfBlocks{};
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
template <class Thread, class Keys>
STRATA_BODY void place_pairs(Thread& t, const AlignTask& task, const Keys& keys, const AlignShared<Thread>& shared,
                             const WarpRun& run) {
    std::int32_t* count = shared.count + t.warp() * task.experts;
    for_pairs(t, keys, run, [&](int pair, std::int32_t expert) {
        const unsigned same = t.match_any(unsigned(expert));
        const int below = Thread::ones(same & ((1u << t.lane()) - 1));
        const std::int32_t slot = expert >= 0 ? shared.start[expert] + count[expert] + below : -1;
        if (pair < task.pairs) task.slot_of_pair[pair] = slot;
        if (slot >= 0) task.pair_of_slot[slot] = pair;
        t.sync_warp();
        if (expert >= 0 && below == 0) count[expert] += Thread::ones(same);
        t.sync_warp();
    });
}

template <class Thread>
STRATA_BODY void fill(Thread& t, std::int32_t* at, int from, int to, std::int32_t value) {
    for (int i = from + t.lane(); i < to; i += 32) at[i] = value;
}

// What no pair writes: padding, and which expert a tile belongs to. A warp an expert, and one for what is behind them.
// Tiles are a power of two: divisions would take longer than everything else here.
template <class Thread>
STRATA_BODY void fill_padding(Thread& t, const AlignTask& task, const AlignShared<Thread>& shared) {
    const int warps = t.blocks() * kAlignWarps, slots = int(task.slots);
    const int log2_tile = Thread::ones(unsigned(task.tile) - 1);
    for (int expert = t.block() * kAlignWarps + t.warp(); expert < task.experts; expert += warps) {
        const int offset = shared.offset[expert], last = offset + shared.all[expert];
        const int end = (last + task.tile - 1) & -task.tile;
        fill(t, task.pair_of_slot, last, end, -1);
        fill(t, task.expert_of_tile, offset >> log2_tile, end >> log2_tile, expert);
    }
    const int last = task.experts - 1;
    const int used = (shared.offset[last] + shared.all[last] + task.tile - 1) & -task.tile;
    const int first = t.block() * kAlignThreads + t.thread(), step = t.blocks() * kAlignThreads;
    for (int slot = used + first; slot < slots; slot += step) task.pair_of_slot[slot] = -1;
    for (int tile = (used >> log2_tile) + first; tile < slots >> log2_tile; tile += step)
        task.expert_of_tile[tile] = -1;
}

template <class Thread, class Keys>
STRATA_BODY void align_by(Thread& t, const AlignTask& task, const Keys& keys) {
    const AlignShared<Thread> shared = align_shared(t, task.experts);
    const WarpRun run = run_of_warp(t, task, keys);
    for (int i = t.thread() * 4; i < kAlignWarps * task.experts; i += kAlignThreads * 4)
        store_pack(shared.count, i, Pack<std::int32_t>{});
    keys.begin(t);
    if (t.blocks() > 1) {  // a block hears of every block before it ends, so that none sends to one that has ended
        const int bytes = t.blocks() * task.experts * 4 + keys.bytes_expected(t.block());
        if (t.thread() == 0) t.open_mailbox(shared.mail), t.expect_mail(shared.mail, bytes);
        t.sync_cluster();
    } else {
        t.sync();
    }
    std::int32_t* count = shared.count + t.warp() * task.experts;
    for_pairs(t, keys, run, [&](int pair, std::int32_t expert) {
        if (expert >= 0) Thread::atomic_add(count + expert, 1);
        if (pair < run.end) keys.count(t, pair, expert);
    });
    t.sync();
    keys.tell(t, shared.mail);
    find_starts(t, task, shared);
    place_pairs(t, task, keys, shared, run);
    fill_padding(t, task, shared);
    keys.finish(t, shared.mail);
}

template <class Thread>
STRATA_BODY void align(Thread& t, const AlignTask& task) {
    align_by(t, task, ByExpert{task});
}

}  // namespace strata
