// Top-k of long rows, thread by thread. A cluster of blocks shares a row; each block holds its slice in registers, so
// that the row crosses HBM once, and an element costs a maximum and two comparisons unless it is a survivor:
// - The k-th largest of the maxima of small groups bounds the k-th largest element from below (a bound, not a guess: it
//   never fails). It is found in one histogram of the maxima: over the range that they have, where that is known before
//   one block has seen its row, or else over all numbers.
// - The few elements that reach it survive; they are listed, and the first block of the cluster gathers the lists. It
//   alone finds the k-th largest of them: a histogram over the range that is left, and one warp for the last few.
// - Chosen positions are marked as bits, and bits are counted: positions ascend without a sort, and the same input
//   gives the same output whatever the order of the list.
// Where no bound is found, or too many reach it (ties), the first block reads the row again instead of the list; a
// slice that registers do not hold is read twice, but for its beginning. NaN is below everything and -0 is +0.
#pragma once

#include "kernels/attention/top_k_survivors.hpp"
#include "kernels/simt/prefetch.hpp"

namespace strata {

// Appends this block's list to that of the cluster's first block, which hears of the largest key too. A list without
// room is counted all the same.
template <class Thread>
STRATA_BODY void gather_lists(Thread& t, const TopKShared& shared) {
    t.sync();
    const std::uint32_t mine = *shared.listed;
    if (t.cluster_rank() > 0) {
        if (t.thread() == 0) {
            *shared.offset = Thread::atomic_add(t.shared_of(0, shared.listed), mine);
            Thread::atomic_max(t.shared_of(0, shared.range), *shared.range);
        }
        t.sync();
        const std::uint32_t offset = *shared.offset;
        std::uint32_t *values = t.shared_of(0, shared.values) + offset, *columns = values + kTopKListed;
        if (offset <= kTopKListed && mine <= kTopKListed - offset)
            for (std::uint32_t i = std::uint32_t(t.thread()); i < mine; i += std::uint32_t(t.threads()))
                values[i] = shared.values[i], columns[i] = shared.columns[i];
    }
    t.sync_cluster();
}

// What the first block chooses from: the list, or the row itself.
template <class T>
struct Survivors {
    bool are_listed;
    int count;
    const T* row;
    RowBounds bounds;
};

// call(key, column) for each survivor.
template <class T, class Thread, class Call>
STRATA_BODY void for_survivors(Thread& t, const Survivors<T>& survivors, const TopKShared& shared, Call call) {
    if (survivors.are_listed) {
        for (int i = t.thread(); i < survivors.count; i += t.threads())
            call(ordered(bits_as<float>(shared.values[i])), int(shared.columns[i]));
        return;
    }
    constexpr int kSize = Pack<T>::kSize;
    const RowBounds bounds = survivors.bounds;
    for (int at = bounds.begin / kSize * kSize + t.thread() * kSize; at < bounds.end; at += t.threads() * kSize) {
        const Pack<T> pack = load_pack(survivors.row, at);
        STRATA_UNROLL
        for (int e = 0; e < kSize; ++e)
            if (at + e >= bounds.begin && at + e < bounds.end) call(ordered(to_float(pack.at[e])), at + e);
    }
}

// The k largest are all above the range and `equal` in it: the first, or, where few are in it, the largest.
struct KthLargest {
    KeyRange range;
    std::uint32_t equal;
    bool few;
};

template <class T, class Thread>
STRATA_BODY KthLargest kth_largest(Thread& t, const Survivors<T>& survivors, KeyRange range, std::uint32_t k,
                                   const TopKShared& shared) {
    constexpr int kAlike = 32 - 8 * int(sizeof(T));  // low bits of a key that tell nothing
    KthLargest kth{range, k, false};
    for (int shift = 32; shift > kAlike && !kth.few;) {
        const KeyRange left = kth.range;
        shift = left.shift();
        for_survivors(t, survivors, shared, [&](std::uint32_t key, int) {
            if (key - left.low <= left.high - left.low)
                Thread::atomic_add(shared.bins + ((key - left.low) >> shift), 1u);
        });
        const Bin bin = find_bin(t, shared, kth.equal, 0);
        kth.range.low = left.low + (bin.at << shift);
        kth.range.high = kth.range.low + ((1u << shift) - 1);
        kth.equal -= bin.above;
        if (bin.count == kth.equal) break;
        kth.few = shift > kAlike && bin.count <= kTopKFewest;
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

// Marks the survivors of a window of positions; a bit is set once, by addition. Those to be put in order are laid down.
template <class T, class Thread>
STRATA_BODY void mark(Thread& t, const Survivors<T>& survivors, const KthLargest& kth, int first, int length,
                      const TopKShared& shared) {
    for_survivors(t, survivors, shared, [&](std::uint32_t key, int column) {
        const int at = column - first;
        if (key < kth.range.low) return;
        if (kth.few && key <= kth.range.high) {
            const std::uint32_t slot = Thread::atomic_add(shared.few, 1u);
            shared.few[1 + slot] = key, shared.few[1 + kTopKFewest + slot] = std::uint32_t(column);
        } else if (at >= 0 && at < length) {
            Thread::atomic_add((key > kth.range.high ? shared.above : shared.equal) + spread(at / 32), 1u << (at % 32));
        }
    });
}

// Marks the largest of the few, of equals the first; by a warp.
template <class Thread>
STRATA_BODY void mark_few(Thread& t, std::uint32_t wanted, int first, int length, const TopKShared& shared) {
    const int count = int(*shared.few);
    const std::uint32_t key = t.lane() < count ? shared.few[1 + t.lane()] : 0;
    const int column = t.lane() < count ? int(shared.few[1 + kTopKFewest + t.lane()]) : 0;
    std::uint32_t larger = 0;
    for (int i = 0; i < count; ++i) {
        const std::uint32_t other = t.shuffle(key, i);
        const int at = t.shuffle(column, i);
        larger += other > key || (other == key && at < column);
    }
    const int at = column - first;
    if (t.lane() < count && larger < wanted && at >= 0 && at < length)
        Thread::atomic_add(shared.above + spread(at / 32), 1u << (at % 32));
    if (t.lane() == 0) *shared.few = 0;  // all lanes have read it where they met
}

// Writes what is chosen of a window, ascending, after `before`; clears the bits and adds their counts.
template <class Thread, class Write>
STRATA_BODY void write_window(Thread& t, std::uint32_t equal_wanted, int first, int words, Counts& before,
                              const TopKShared& shared, Write write) {
    const int each = (words + t.threads() - 1) / t.threads(), from = t.thread() * each;
    const int to = from + each < words ? from + each : words;
    Counts mine;
    for (int word = from; word < to; ++word)
        mine.add(std::uint32_t(Thread::ones(shared.above[spread(word)])),
                 std::uint32_t(Thread::ones(shared.equal[spread(word)])));
    const std::uint64_t in_warp = warp_exclusive_sum(t, mine.both);
    if (t.lane() == 31) shared.chosen[t.warp()] = in_warp + mine.both;
    t.sync();
    const std::uint64_t of_warp = t.lane() < t.warps() ? shared.chosen[t.lane()] : 0;
    const Counts start{before.both + in_warp + warp_sum(t, t.lane() < t.warp() ? of_warp : 0)};
    before.both += warp_sum(t, of_warp);
    std::uint32_t above = start.above(), equal = start.equal();
    for (int word = from; word < to; ++word) {
        const std::uint32_t of_above = shared.above[spread(word)];
        for (std::uint32_t bits = of_above | shared.equal[spread(word)]; bits != 0; bits &= bits - 1) {
            const std::uint32_t lowest = bits & (0u - bits);
            const bool is_equal = (of_above & lowest) == 0;
            if (!is_equal || equal < equal_wanted)
                write(above + (equal < equal_wanted ? equal : equal_wanted),
                      first + word * 32 + Thread::ones(lowest - 1));
            ++(is_equal ? equal : above);
        }
        shared.above[spread(word)] = shared.equal[spread(word)] = 0;
    }
    t.sync();
}

// Positions are laid down in shared memory, where they fit, so that neighbours are written together.
template <class T, class Thread>
STRATA_BODY void write_chosen(Thread& t, const TopKTask<T>& task, long row, const Survivors<T>& survivors,
                              const KthLargest& kth, const TopKShared& shared) {
    const bool fit = task.k <= kTopKBins;
    std::int32_t* out = task.indices + row * task.k;
    const int words = window_words(task);
    Counts before;
    for (int first = survivors.bounds.begin / 32 * 32; first < survivors.bounds.end; first += 32 * words) {
        mark(t, survivors, kth, first, 32 * words, shared);
        t.sync();
        if (kth.few) {
            if (t.warp() == 0) mark_few(t, kth.equal, first, 32 * words, shared);
            t.sync();
        }
        write_window(t, kth.few ? 0 : kth.equal, first, words, before, shared, [&](std::uint32_t at, int column) {
            if (fit)
                shared.bins[at] = std::uint32_t(column);
            else
                out[at] = position_of(task, row, column);
        });
    }
    if (!fit) return;
    for (int i = t.thread(); i < task.k; i += t.threads()) out[i] = position_of(task, row, int(shared.bins[i]));
}

// All of a row that has no more than k, and -1 after them.
template <class T, class Thread>
STRATA_BODY void pass_through(Thread& t, const TopKTask<T>& task, long row, RowBounds bounds) {
    const int rank = task.cluster > 1 ? t.cluster_rank() : 0;
    for (int i = rank * t.threads() + t.thread(); i < task.k; i += task.cluster * t.threads())
        task.indices[row * task.k + i] = i < bounds.end - bounds.begin ? position_of(task, row, bounds.begin + i) : -1;
}

template <class T, class Thread>
STRATA_BODY Slice<T> slice_of_block(Thread& t, const TopKTask<T>& task, long row, RowBounds bounds) {
    constexpr int kSize = Pack<T>::kSize;
    const int from = bounds.begin / kSize * kSize;  // the row's first pack
    const int length = (((bounds.end - from + kSize - 1) / kSize + task.cluster - 1) >> task.log2_cluster) * kSize;
    const int first = from + (task.cluster > 1 ? t.cluster_rank() * length : 0), left = bounds.end - first;
    return {.at = task.logits + row * task.stride + first,
            .first = first,
            .count = left <= 0       ? 0
                     : left < length ? left
                                     : length,
            .begin = first < bounds.begin ? bounds.begin - first : 0};
}

// The row of the block that probably follows on this SM, if any. Its bounds are read before they are needed.
template <class T>
struct NextRow {
    const T* at = nullptr;
    RowBounds bounds{0, 0};
};

template <TopKHold hold, class T>
STRATA_HD NextRow<T> next_row(const TopKTask<T>& task, long row) {
    const long next = row + kTopKPlaces * TopKBlock<hold>::kAnSm;
    if (task.cluster > 1 || next >= task.rows) return {};
    return {task.logits + next * task.stride, bounds_of(task, next)};
}

// Brought to L2 while this block counts and HBM would rest; by a lane of each warp, as those of one would take turns.
template <class T, class Thread>
STRATA_BODY void prefetch(Thread& t, const NextRow<T>& next) {
    if (t.lane() > 0) return;
    constexpr int kRun = 4096 / int(sizeof(T)), kSize = Pack<T>::kSize;
    for (int at = next.bounds.begin / kSize * kSize + t.warp() * kRun; at < next.bounds.end; at += t.warps() * kRun) {
        const int left = (next.bounds.end - at + kSize - 1) / kSize * kSize;
        prefetch_to_l2(next.at + at, std::uint32_t((left < kRun ? left : kRun) * sizeof(T)));
    }
}

// Candidates, of which the chosen ones are read at the very end, come to L2 meanwhile.
template <class T, class Thread>
STRATA_BODY void prefetch_blocks(Thread& t, const TopKTask<T>& task, long row) {
    if (!task.blocks || t.thread() > 0) return;
    const long count = task.columns / kCandidateBlock;
    const std::int32_t* at = task.blocks + row * count;
    if (count % 4 == 0 && reinterpret_cast<std::uintptr_t>(at) % 16 == 0) prefetch_to_l2(at, std::uint32_t(count * 4));
}

template <TopKHold hold, class T, class Thread>
STRATA_BODY void top_k(Thread& t, const TopKTask<T>& task) {
    using Block = TopKBlock<hold>;
    constexpr bool kHeld = hold != TopKHold::nothing;
    constexpr int kPart = Block::kThreads * Block::kPacks * Pack<T>::kSize;
    const long row = t.block() >> task.log2_cluster;
    const RowBounds bounds = bounds_of(task, row);
    const int elements = bounds.end - bounds.begin;
    if (elements <= task.k) return pass_through(t, task, row, bounds);

    const Slice<T> slice = slice_of_block(t, task, row, bounds);
    const TopKShared shared = top_k_shared(t, task);
    const LogitsSlice<T, Block::kPacks> held = load_held<Block>(t, slice, 0);
    prefetch_blocks(t, task, row);
    clear(t, task, shared);
    if (task.cluster > 1)
        t.sync_cluster();
    else
        t.sync();

    const int group = packs_a_group(elements, task.k);
    KeyRange range{0, 0xFFFFFFFFu};
    const auto maxima = group_maxima(held, group);
    Extremes extremes;
    extremes.add(maxima);
    if (kHeld && task.cluster == 1) {  // others' are not worth waiting for
        const NextRow<T> next = next_row<hold>(task, row);
        note(t, extremes, shared);
        t.sync();
        range = {~shared.range[1], shared.range[0]};
        prefetch(t, next);
    }
    if (group > 0) count_maxima<Thread>(maxima, range, shared);
    for (int from = kPart; !kHeld && group > 0 && from < slice.count; from += kPart) {
        const auto more = group_maxima(load_held<Block>(t, slice, from), group);
        extremes.add(more);
        count_maxima<Thread>(more, range, shared);
    }
    if (!kHeld || task.cluster > 1) note(t, extremes, shared);
    const Bin bound = find_bin(t, shared, std::uint32_t(task.k), task.log2_cluster);
    if (bound.count > 0) range.low += bound.at << range.shift();
    const float least = bound.count > 0 ? of_order(range.low) : NAN;

    const NextRow<T> next = kHeld ? NextRow<T>{} : next_row<hold>(task, row);
    if (least == least) {
        list_survivors<Block>(t, held, least, slice.first, shared);
        for (int from = kPart; !kHeld && from < slice.count; from += kPart)
            list_survivors<Block>(t, load_held<Block>(t, slice, from), least, slice.first + from, shared);
    }
    if (!kHeld) prefetch(t, next);
    if (task.cluster > 1) {
        gather_lists(t, shared);
        if (t.cluster_rank() > 0) return;
    } else {
        t.sync();
    }
    if (least == least)
        range.high = shared.range[0];
    else
        range = {0, 0xFFFFFFFFu};
    const int survive = int(*shared.listed);
    const Survivors<T> survivors{.are_listed = least == least && survive <= kTopKListed,
                                 .count = survive,
                                 .row = task.logits + row * task.stride,
                                 .bounds = bounds};
    const KthLargest kth = kth_largest(t, survivors, range, std::uint32_t(task.k), shared);
    write_chosen(t, task, row, survivors, kth, shared);
}

}  // namespace strata
