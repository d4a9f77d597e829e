// Top-k of long rows, thread by thread, by radix: bins of the highest bits first, until the k-th largest is known to
// the bit. A cluster of blocks shares a row: each keeps the keys of its slice in shared memory, so the row crosses HBM
// once, and adds the bins it has anything in to the cluster's. Three things make it fast:
// - The first histogram is of maxima of small groups: the k-th largest of them bounds the k-th largest element from
//   below, so that few elements, and not all, go through atomics afterwards (a bound, not a guess: it never fails).
// - Slices of 32 KB let several blocks share an SM, so that one loads while another counts.
// - What is chosen is written in order, by counts and not by atomics: positions ascend, and the same input gives the
//   same output.
// A slice that does not fit is read again for each histogram. NaN is below everything and -0 is +0.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/attention/top_k_task.hpp"
#include "kernels/ordered.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// Keys: unsigned integers in the order of the values, never 0, which stands for an element that is not there.
STRATA_HD std::uint32_t key_of(float x) { return ordered(x); }
STRATA_HD std::uint16_t key_of(Bf16 x) {
    const std::uint32_t key = ordered(to_float(x)) >> 16;
    return std::uint16_t(key == 0 ? 1 : key);
}

template <class T>
using KeyOf = decltype(key_of(T{}));

// This block's part of its row, from a position that 16-byte loads can start at.
template <class T>
struct Slice {
    const T* at;  // element 0 of it
    int first;    // its position in the row
    int count;    // elements, those before `begin` included
    int begin;    // the first that takes part
};

template <class T>
struct TopKShared {
    std::uint32_t* bins;    // of this block
    std::uint32_t* totals;  // of the cluster, for each histogram this block's share of the bins
    std::uint32_t* sums;    // [warp]
    std::uint32_t* found;   // bin, and how many are above it
    std::uint64_t* chosen;  // the Counts of this block
    KeyOf<T>* keys;
};

template <class T, class Thread>
STRATA_BODY TopKShared<T> top_k_shared(Thread& t) {
    auto* at = reinterpret_cast<std::uint32_t*>(t.shared());
    return {at,
            at + kTopKBins,
            at + kTopKWords,
            at + kTopKWords + kTopKWarps,
            reinterpret_cast<std::uint64_t*>(at + kTopKWords + kTopKWarps + 2),
            reinterpret_cast<KeyOf<T>*>(t.shared() + kTopKFixedBytes)};
}

// Reads the slice, keeps its keys, and counts the bins of the maxima of groups of `packs_a_group` packs (0: none).
template <bool kStays, class T, class Thread>
STRATA_BODY void load_slice(Thread& t, const Slice<T>& slice, int packs_a_group, const TopKShared<T>& shared) {
    constexpr int kSize = Pack<T>::kSize, kPacks = 4, kShift = 8 * int(sizeof(T)) - kTopKBits;
    if (!kStays && packs_a_group == 0) return;
    for (int from = t.thread() * kSize; from < slice.count; from += kPacks * kTopKThreads * kSize) {
        Pack<T> packs[kPacks];
        STRATA_UNROLL
        for (int i = 0; i < kPacks; ++i) {
            const int at = from + i * kTopKThreads * kSize;
            packs[i] = at < slice.count ? load_pack(slice.at, at) : Pack<T>{};
        }
        KeyOf<T> largest = 0;
        STRATA_UNROLL
        for (int i = 0; i < kPacks; ++i) {
            const int at = from + i * kTopKThreads * kSize;
            if (at < slice.count) {
                Pack<KeyOf<T>> keys;
                STRATA_UNROLL
                for (int x = 0; x < kSize; ++x) {
                    const bool there = at + x >= slice.begin && at + x < slice.count;
                    keys.at[x] = there ? key_of(packs[i].at[x]) : KeyOf<T>(0);
                    largest = keys.at[x] > largest ? keys.at[x] : largest;
                }
                if (kStays) store_pack(shared.keys, at, keys);
            }
            if (packs_a_group == 0 || (i + 1) % packs_a_group != 0) continue;
            if (largest != 0) Thread::atomic_add(shared.bins + (largest >> kShift), 1u);
            largest = 0;
        }
    }
}

// Elements of warp w: a run of neighbours, so that lower warps have lower positions.
struct Run {
    int first;
    int last;
};

template <class Thread>
STRATA_BODY Run run_of(Thread& t, int count) {
    const int length = (count + kTopKThreads - 1) / kTopKThreads * 32;
    const int first = t.warp() * length;
    return {first, first + length < count ? first + length : count};
}

// call(index, key) for the keys of this warp's run, 32 neighbours at a time and ascending; all lanes take part, with
// key 0 beyond the end. Eight are read before the first is used.
template <bool kStays, class T, class Thread, class Call>
STRATA_BODY void for_keys(Thread& t, const Slice<T>& slice, const KeyOf<T>* keys, Call call) {
    constexpr int kAtOnce = 8;
    const Run run = run_of(t, slice.count);
    for (int from = run.first; from < run.last; from += 32 * kAtOnce) {
        KeyOf<T> key[kAtOnce];
        STRATA_UNROLL
        for (int i = 0; i < kAtOnce; ++i) {
            const int at = from + i * 32 + t.lane();
            key[i] = 0;
            if (at < run.last) key[i] = kStays ? keys[at] : at >= slice.begin ? key_of(slice.at[at]) : KeyOf<T>(0);
        }
        STRATA_UNROLL
        for (int i = 0; i < kAtOnce; ++i)
            if (from + i * 32 < run.last) call(from + i * 32 + t.lane(), key[i]);
    }
}

// Adds this block's histogram to the cluster's, in which each block keeps a share of the bins, and clears it; bins that
// hold nothing cost nothing. `which` histogram: each has its own sums, so that a block that is behind can still read.
template <class T, class Thread>
STRATA_BODY void add_up(Thread& t, const TopKShared<T>& shared, int which) {
    t.sync();
    const int blocks = t.cluster_size(), share = kTopKBins / blocks;
    if (blocks == 1) return;
    for (int bin = t.thread(); bin < kTopKBins; bin += kTopKThreads) {
        const std::uint32_t count = shared.bins[bin];
        if (count == 0) continue;
        shared.bins[bin] = 0;
        std::uint32_t* total = shared.totals + which * kTopKMostShare + (bin & (share - 1));
        Thread::atomic_add(t.shared_of(bin * blocks >> kTopKBits, total), count);
    }
    t.sync_cluster();
}

// Four neighbouring bins of what was added up.
template <class T, class Thread>
STRATA_BODY Pack<std::uint32_t> bins_of_cluster(Thread& t, const TopKShared<T>& shared, int which, int lowest) {
    const int blocks = t.cluster_size(), share = kTopKBins / blocks;
    if (blocks > 1) {
        std::uint32_t* total = shared.totals + which * kTopKMostShare + (lowest & (share - 1));
        return load_pack(t.shared_of(lowest * blocks >> kTopKBits, total), 0);
    }
    const Pack<std::uint32_t> counts = load_pack(shared.bins, lowest);
    store_pack(shared.bins, lowest, Pack<std::uint32_t>{});  // for the next histogram
    return counts;
}

// The highest bin down to which at least `need` are counted, and how many are above it; bin 0 where there are fewer.
template <class T, class Thread>
STRATA_BODY void find_bin(Thread& t, const TopKShared<T>& shared, int which, std::uint32_t need, std::uint32_t& bin,
                          std::uint32_t& above) {
    static_assert(kTopKBins == 4 * kTopKThreads);
    const int lowest = kTopKBins - 4 - 4 * t.thread();  // thread 0 has the four highest bins
    add_up(t, shared, which);
    const Pack<std::uint32_t> counts = bins_of_cluster(t, shared, which, lowest);
    const std::uint32_t mine = counts.at[0] + counts.at[1] + counts.at[2] + counts.at[3];
    const std::uint32_t in_warp = warp_exclusive_sum(t, mine);
    if (t.lane() == 31) shared.sums[t.warp()] = in_warp + mine;
    if (t.thread() == 0) shared.found[0] = shared.found[1] = 0;
    t.sync();
    std::uint32_t over = in_warp;
    for (int warp = 0; warp < t.warp(); ++warp) over += shared.sums[warp];
    STRATA_UNROLL
    for (int i = 3; i >= 0; --i) {
        if (over < need && over + counts.at[i] >= need) {
            shared.found[0] = std::uint32_t(lowest + i);
            shared.found[1] = over;
        }
        over += counts.at[i];
    }
    t.sync();
    bin = shared.found[0];
    above = shared.found[1];
}

struct KthLargest {
    std::uint32_t key = 0;
    std::uint32_t equal = 0;  // how many of those with this key belong to the k
};

template <bool kStays, class T, class Thread>
STRATA_BODY KthLargest kth_largest(Thread& t, const Slice<T>& slice, std::uint32_t k, const TopKShared<T>& shared) {
    int which = 0;
    std::uint32_t bound = 0, bin = 0, above = 0;
    find_bin(t, shared, which, k, bound, above);  // of the groups' maxima
    KthLargest kth{.key = 0, .equal = k};
    for (int from = 8 * int(sizeof(T)); from > 0;) {
        const int to = from > kTopKBits ? from - kTopKBits : 0;
        const std::uint32_t mask = (1u << (from - to)) - 1, known = kth.key;
        const bool highest = from == 8 * int(sizeof(T));
        for_keys<kStays>(t, slice, shared.keys, [&](int, std::uint32_t key) {
            if (highest ? key >> to >= bound : key >> from == known)
                Thread::atomic_add(shared.bins + (key >> to & mask), 1u);
        });
        find_bin(t, shared, ++which, kth.equal, bin, above);
        kth.key = known << (from - to) | bin;
        kth.equal -= above;
        from = to;
    }
    return kth;
}

// Two counts in one number: of elements above the k-th largest, and of those equal to it.
struct Counts {
    std::uint64_t both = 0;
    STRATA_HD std::uint32_t above() const { return std::uint32_t(both >> 32); }
    STRATA_HD std::uint32_t equal() const { return std::uint32_t(both); }
    STRATA_HD void add(std::uint32_t above, std::uint32_t equal) { both += std::uint64_t(above) << 32 | equal; }
};

// Those that come before this warp's run, in lower warps and lower blocks, from what its lanes have.
template <class T, class Thread>
STRATA_BODY Counts chosen_before(Thread& t, const TopKShared<T>& shared, Counts of_lane) {
    static_assert(kTopKWarps <= 32);
    auto* of_warps = reinterpret_cast<std::uint64_t*>(shared.bins);  // the histograms are done with
    const std::uint64_t mine = warp_sum(t, of_lane.both);
    if (t.lane() == 0) of_warps[t.warp()] = mine;
    t.sync();
    const std::uint64_t of_warp = t.lane() < kTopKWarps ? of_warps[t.lane()] : 0;
    Counts before{warp_sum(t, t.lane() < t.warp() ? of_warp : 0)};
    if (t.cluster_size() == 1) return before;
    const std::uint64_t of_block = warp_sum(t, of_warp);
    if (t.thread() == 0) *shared.chosen = of_block;
    t.sync_cluster();
    before.both += warp_sum(t, t.lane() < t.cluster_rank() ? *t.shared_of(t.lane(), shared.chosen) : 0);
    return before;
}

template <bool kStays, class T, class Thread>
STRATA_BODY void write_chosen(Thread& t, const TopKTask<T>& task, long row, const Slice<T>& slice, KthLargest kth,
                              const TopKShared<T>& shared) {
    Counts of_lane;
    for_keys<kStays>(t, slice, shared.keys,
                     [&](int, std::uint32_t key) { of_lane.add(key > kth.key, key == kth.key); });
    Counts before = chosen_before(t, shared, of_lane);
    const std::uint32_t lower = (1u << t.lane()) - 1;
    for_keys<kStays>(t, slice, shared.keys, [&](int index, std::uint32_t key) {
        const unsigned above = t.ballot(key > kth.key), equal = t.ballot(key == kth.key);
        const std::uint32_t equal_before = before.equal() + std::uint32_t(Thread::ones(equal & lower));
        if (key > kth.key || (key == kth.key && equal_before < kth.equal)) {
            const std::uint32_t taken = equal_before < kth.equal ? equal_before : kth.equal;
            const std::uint32_t out = before.above() + std::uint32_t(Thread::ones(above & lower)) + taken;
            task.indices[row * task.k + out] = position_of(task, row, slice.first + index);
        }
        before.add(std::uint32_t(Thread::ones(above)), std::uint32_t(Thread::ones(equal)));
    });
}

// All of a row that has no more than k, and -1 after them.
template <class T, class Thread>
STRATA_BODY void pass_through(Thread& t, const TopKTask<T>& task, long row, RowBounds bounds) {
    for (int i = t.cluster_rank() * kTopKThreads + t.thread(); i < task.k; i += t.cluster_size() * kTopKThreads)
        task.indices[row * task.k + i] = i < bounds.end - bounds.begin ? position_of(task, row, bounds.begin + i) : -1;
}

// kStays: the keys of a slice stay in shared memory; else they are read again.
template <bool kStays, class T, class Thread>
STRATA_BODY void top_k(Thread& t, const TopKTask<T>& task) {
    const int blocks = t.cluster_size();
    const long row = t.block() / blocks;
    const RowBounds bounds = bounds_of(task, row);
    const int elements = bounds.end - bounds.begin;
    if (elements <= task.k) return pass_through(t, task, row, bounds);

    constexpr int kSize = Pack<T>::kSize;
    const int from = bounds.begin / kSize * kSize;  // the row's first pack
    const int length = (bounds.end - from + blocks * kSize - 1) / (blocks * kSize) * kSize;
    const int first = from + t.cluster_rank() * length, left = bounds.end - first;
    const Slice<T> slice{.at = task.logits + row * task.stride + first,
                         .first = first,
                         .count = left <= 0       ? 0
                                  : left < length ? left
                                                  : length,
                         .begin = first < bounds.begin ? bounds.begin - first : 0};
    const TopKShared<T> shared = top_k_shared<T>(t);
    for (int i = t.thread(); i < kTopKWords; i += kTopKThreads) shared.bins[i] = 0;  // and totals
    t.sync();
    load_slice<kStays>(t, slice, packs_a_group(elements, task.k, kSize), shared);
    if (blocks > 1) t.sync_cluster();  // the sums of all are cleared
    const KthLargest kth = kth_largest<kStays>(t, slice, std::uint32_t(task.k), shared);
    write_chosen<kStays>(t, task, row, slice, kth, shared);
    if (blocks > 1) t.sync_cluster();  // nobody leaves while others read its counts
}

}  // namespace strata
