// Top-k of long rows, thread by thread. A cluster of blocks shares a row; each block holds its slice in registers, so
// that the row crosses HBM once, and an element costs a maximum and two comparisons unless it is a survivor:
// - The k-th largest of the maxima of small groups bounds the k-th largest element from below (a bound, not a guess: it
//   never fails). It is found in one histogram of the maxima, over the range that they have.
// - The few elements that reach it survive; they are listed, and the first block of the cluster gathers the lists. It
//   alone finds the k-th largest of them, by histograms over the range that is left: one or two, unless keys are alike.
// - Chosen positions are marked as bits, and bits are counted: positions ascend without a sort, and the same input
// gives
//   the same output whatever the order of the list.
// Where no bound is found, or too many reach it (ties), the first block reads the row again instead of the list; a
// slice that registers do not hold is read twice. NaN is below everything and -0 is +0.
#pragma once

#include <bit>

#include "kernels/attention/top_k_task.hpp"
#include "kernels/ordered.hpp"
#include "kernels/rl/logits_slice.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/prefetch.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// This block's part of its row, from a position that 16-byte loads can start at.
template <class T>
struct Slice {
    const T* at;  // element 0 of it
    int first;    // its position in the row
    int count;    // elements, those before `begin` included
    int begin;    // the first that takes part
};

struct TopKShared {
    std::uint64_t* chosen;   // [warp], two counts in one
    std::uint32_t* sums;     // [warp]
    std::uint32_t* found;    // bin, how many are above it, and in it
    std::uint32_t* range;    // the largest key, and the complement of the smallest
    std::uint32_t* listed;   // how many survive
    std::uint32_t* offset;   // of this block's list in the gathered one
    std::uint32_t* few;      // how many are to be put in order, from the next: keys, columns
    std::uint32_t* bins;     // of this block; at last the chosen positions
    std::uint32_t* values;   // of survivors, floats
    std::uint32_t* columns;  // of survivors
    std::uint32_t* totals;   // this block's share of the cluster's bins
    std::uint32_t* above;    // bits of positions
    std::uint32_t* equal;
};

template <class T, class Thread>
STRATA_BODY TopKShared top_k_shared(Thread& t, const TopKTask<T>& task) {
    auto* at = reinterpret_cast<std::uint32_t*>(t.shared());
    std::uint32_t* bins = at + kTopKFixedWords;
    std::uint32_t* totals = bins + kTopKBins + 2 * kTopKListed;
    std::uint32_t* above = totals + share_words(task);
    return {.chosen = reinterpret_cast<std::uint64_t*>(at),
            .sums = at + 2 * 32,
            .found = at + 3 * 32,
            .range = at + 3 * 32 + 3,
            .listed = at + 3 * 32 + 5,
            .offset = at + 3 * 32 + 6,
            .few = at + 3 * 32 + 7,
            .bins = bins,
            .values = bins + kTopKBins,
            .columns = bins + kTopKBins + kTopKListed,
            .totals = totals,
            .above = above,
            .equal = above + window_words(task)};
}

template <class T, class Thread>
STRATA_BODY void clear(Thread& t, const TopKTask<T>& task, const TopKShared& shared) {
    const Pack<std::uint32_t> none{};
    if (t.thread() < kTopKBins / 4) store_pack(shared.bins, 4 * t.thread(), none);
    const int words = share_words(task) + 2 * window_words(task);
    STRATA_ROLLED
    for (int i = 4 * t.thread(); i < words; i += 4 * t.threads()) store_pack(shared.totals, i, none);
    if (t.thread() == 0) shared.range[0] = shared.range[1] = *shared.listed = *shared.few = 0;
}

// Where pack i of this thread is in a part of the row that begins at `from`.
template <class Block, class T, class Thread>
STRATA_BODY int pack_at(Thread& t, int from, int i) {
    return from + (i * Block::kThreads + t.thread()) * Pack<T>::kSize;
}

// The elements that a thread holds, read a pack here and a pack there; NaN where there is nothing.
template <class Block, class T, class Thread>
STRATA_BODY LogitsSlice<T, Block::kPacks> load_held(Thread& t, const Slice<T>& slice, int from) {
    constexpr int kSize = Pack<T>::kSize;
    constexpr std::uint32_t kNothing = 0xFFFFFFFFu;  // one NaN, or two
    LogitsSlice<T, Block::kPacks> held;
    STRATA_UNROLL
    for (int i = 0; i < Block::kPacks; ++i) {
        const int at = pack_at<Block, T>(t, from, i);
        Pack<std::uint32_t> pack{{kNothing, kNothing, kNothing, kNothing}};
        if (at < slice.count) pack = *reinterpret_cast<const Pack<std::uint32_t>*>(slice.at + at);
        STRATA_UNROLL
        for (int word = 0; word < 4; ++word) held.words[4 * i + word] = pack.at[word];
    }
    if (slice.begin == 0 && slice.count % kSize == 0) return held;
    STRATA_UNROLL
    for (int i = 0; i < Block::kPacks; ++i) {
        const int at = pack_at<Block, T>(t, from, i);
        if (at >= slice.begin && at + kSize <= slice.count) continue;
        STRATA_UNROLL
        for (int e = 0; e < kSize; ++e)
            if (at + e < slice.begin || at + e >= slice.count) held.set(i * kSize + e, NAN);
    }
    return held;
}

// The larger of two numbers, or of two pairs of BF16; of a NaN and a number the number.
template <class T>
STRATA_HD std::uint32_t larger(std::uint32_t a, std::uint32_t b) {
    if constexpr (sizeof(T) == 4) return bits_as<std::uint32_t>(fmaxf(bits_as<float>(a), bits_as<float>(b)));
#ifdef __CUDA_ARCH__
    std::uint32_t most;
    asm("max.bf16x2 %0, %1, %2;" : "=r"(most) : "r"(a), "r"(b));
    return most;
#else
    return bf16_pair(fmaxf(low_of(a), low_of(b)), fmaxf(high_of(a), high_of(b)));
#endif
}

// The bits of the smallest BF16 number that is no less than x.
STRATA_HD std::uint32_t bf16_at_least(float x) {
    const auto bits = bits_as<std::uint32_t>(x);
    return (bits & 0x80000000u ? bits : bits + 0xFFFFu) >> 16;
}

// All ones in the half where a number of `pair` is no less than that of `least`, a NaN never.
STRATA_HD std::uint32_t not_below(std::uint32_t pair, std::uint32_t least) {
#ifdef __CUDA_ARCH__
    std::uint32_t mask;
    asm("set.ge.u32.bf16x2 %0, %1, %2;" : "=r"(mask) : "r"(pair), "r"(least));
    return mask;
#else
    return (low_of(pair) >= low_of(least) ? 0xFFFFu : 0) | (high_of(pair) >= high_of(least) ? 0xFFFF0000u : 0);
#endif
}

// Maxima of groups of a thread's elements, one a word, or two of BF16.
template <class T, int words>
struct Maxima {
    static constexpr int kCount = words * 4 / int(sizeof(T));
    std::uint32_t at[words];

    STRATA_HD float get(int i) const {
        if constexpr (sizeof(T) == 4) return bits_as<float>(at[i]);
        return i % 2 ? high_of(at[i / 2]) : low_of(at[i / 2]);
    }
};

// Each group's maximum stands at its first pack; NaN at the others, and where there is nothing.
template <class T, int packs>
STRATA_BODY Maxima<T, packs> group_maxima(const LogitsSlice<T, packs>& held, int packs_a_group) {
    Maxima<T, packs> maxima;
    STRATA_UNROLL
    for (int i = 0; i < packs; ++i) {
        const std::uint32_t* words = held.words + 4 * i;
        maxima.at[i] = larger<T>(larger<T>(words[0], words[1]), larger<T>(words[2], words[3]));
    }
    STRATA_UNROLL
    for (int joined = 1; joined < 4; joined *= 2) {
        if (packs_a_group <= joined) break;
        STRATA_UNROLL
        for (int i = 0; i < packs; i += 2 * joined) {
            maxima.at[i] = larger<T>(maxima.at[i], maxima.at[i + joined]);
            maxima.at[i + joined] = 0xFFFFFFFFu;
        }
    }
    return maxima;
}

// Keys of [low, high] in at most kTopKBins bins.
struct KeyRange {
    std::uint32_t low;
    std::uint32_t high;

    STRATA_HD int shift() const {
#ifdef __CUDA_ARCH__
        const int bits = 32 - __clz(int(high - low));
#else
        const int bits = int(std::bit_width(high - low));
#endif
        return bits > kTopKBits ? bits - kTopKBits : 0;
    }
};

// From the smallest to the largest of the row's maxima; every block of the cluster has cleared its shared memory then.
template <class T, int words, class Thread>
STRATA_BODY KeyRange range_of(Thread& t, const Maxima<T, words>& maxima, const TopKShared& shared, int blocks) {
    float smallest = NAN, largest = NAN;
    STRATA_UNROLL
    for (int i = 0; i < maxima.kCount; ++i) {
        smallest = fminf(smallest, maxima.get(i));
        largest = fmaxf(largest, maxima.get(i));
    }
    const bool any = largest == largest;
    const std::uint32_t high = t.largest(any ? ordered(largest) : 0);
    const std::uint32_t not_low = t.largest(any ? ~ordered(smallest) : 0);
    if (t.lane() == 0) {
        Thread::atomic_max(shared.range, high);
        Thread::atomic_max(shared.range + 1, not_low);
    }
    if (blocks == 1) {
        t.sync();
        return {~shared.range[1], shared.range[0]};
    }
    t.sync_cluster();
    const std::uint32_t* theirs = t.shared_of(t.lane() < blocks ? t.lane() : 0, shared.range);
    return {~t.largest(theirs[1]), t.largest(theirs[0])};
}

template <class Thread, class T, int words>
STRATA_BODY void count_maxima(const Maxima<T, words>& maxima, KeyRange range, const TopKShared& shared) {
    const int shift = range.shift();
    STRATA_UNROLL
    for (int i = 0; i < maxima.kCount; ++i) {
        const float most = maxima.get(i);
        if (most == most) Thread::atomic_add(shared.bins + ((ordered(most) - range.low) >> shift), 1u);
    }
}

// Four neighbouring bins, which are empty then.
template <class Thread>
STRATA_BODY Pack<std::uint32_t> taken_bins(Thread&, const TopKShared& shared, int lowest) {
    const Pack<std::uint32_t> counts = load_pack(shared.bins, lowest);
    store_pack(shared.bins, lowest, Pack<std::uint32_t>{});
    return counts;
}

// The same of what all blocks of the cluster counted: each keeps a share of the bins, and what is empty costs nothing.
template <class Thread>
STRATA_BODY Pack<std::uint32_t> taken_bins_of_cluster(Thread& t, const TopKShared& shared, int lowest,
                                                      int log2_cluster) {
    const int log2_share = kTopKBits - log2_cluster;
    std::uint32_t* totals = t.shared_of(lowest >> log2_share, shared.totals + (lowest & ((1 << log2_share) - 1)));
    const Pack<std::uint32_t> mine = taken_bins(t, shared, lowest);
    STRATA_UNROLL
    for (int i = 0; i < 4; ++i)
        if (mine.at[i] != 0) Thread::atomic_add(totals + i, mine.at[i]);
    t.sync_cluster();
    return load_pack(totals, 0);
}

struct Bin {
    std::uint32_t at;
    std::uint32_t above;  // how many are counted above it
    std::uint32_t count;  // and in it; 0: there are too few
};

// The highest bin down to which at least `need` are counted, by 2^log2_cluster blocks.
template <class Thread>
STRATA_BODY Bin find_bin(Thread& t, const TopKShared& shared, std::uint32_t need, int log2_cluster) {
    const int lowest = kTopKBins - 4 - 4 * t.thread();  // thread 0 has the four highest bins, the last may have none
    t.sync();
    if (t.thread() == 0) shared.found[2] = 0;  // what was found before has been read
    Pack<std::uint32_t> counts{};
    if (log2_cluster > 0)
        counts = taken_bins_of_cluster(t, shared, lowest, log2_cluster);
    else if (lowest >= 0)
        counts = taken_bins(t, shared, lowest);
    const std::uint32_t mine = counts.at[0] + counts.at[1] + counts.at[2] + counts.at[3];
    const std::uint32_t in_warp = warp_exclusive_sum(t, mine);
    if (t.lane() == 31) shared.sums[t.warp()] = in_warp + mine;
    t.sync();
    std::uint32_t over = in_warp + warp_sum(t, t.lane() < t.warp() ? shared.sums[t.lane()] : 0u);
    if (over < need && over + mine >= need) {
        STRATA_UNROLL
        for (int i = 3; i >= 0; --i) {
            if (over < need && over + counts.at[i] >= need) {
                shared.found[0] = std::uint32_t(lowest + i);
                shared.found[1] = over;
                shared.found[2] = counts.at[i];
            }
            over += counts.at[i];
        }
    }
    t.sync();
    return {shared.found[0], shared.found[1], shared.found[2]};
}

// A bit for each element that is no less than `least`. Of BF16 two are compared at once, with what `least` is rounded
// up to: those in the lower halves of 16 words, then those in the upper halves.
template <class T>
struct SurvivorBits {
    STRATA_HD static constexpr int at(int e) { return sizeof(T) == 4 ? e : e / 32 * 32 + e % 32 / 2 + e % 2 * 16; }
};

template <class T, int packs, int words>
STRATA_BODY void mark_survivors(std::uint32_t (&bits)[words], const LogitsSlice<T, packs>& held, float least) {
    if constexpr (sizeof(T) == 4) {
        STRATA_UNROLL
        for (int e = 0; e < held.kCount; ++e)
            if (held.get(e) >= least) bits[e / 32] |= 1u << (e % 32);
    } else {
        const std::uint32_t up = bf16_at_least(least), both = up << 16 | up;
        STRATA_UNROLL
        for (int word = 0; word < packs * 4; ++word)
            bits[word / 16] |= not_below(held.words[word], both) & 0x00010001u << (word % 16);
    }
#ifdef __CUDA_ARCH__  // or the compiler keeps what a bit was made of
    STRATA_UNROLL
    for (int i = 0; i < words; ++i) asm volatile("" : "+r"(bits[i]));
#endif
}

// Lists what this thread holds that is no less than `least`. A warp that has no room lists nothing, and is counted.
template <class Block, class T, class Thread>
STRATA_BODY void list_survivors(Thread& t, const LogitsSlice<T, Block::kPacks>& held, float least, int first,
                                const TopKShared& shared) {
    constexpr int kSize = Pack<T>::kSize, kCount = Block::kPacks * kSize;
    std::uint32_t survives[(kCount + 31) / 32]{}, mine = 0;
    mark_survivors(survives, held, least);
    for (const std::uint32_t bits : survives) mine += std::uint32_t(Thread::ones(bits));
    const std::uint32_t before = warp_exclusive_sum(t, mine);
    std::uint32_t of_warp = 0;
    if (t.lane() == 31) of_warp = Thread::atomic_add(shared.listed, before + mine);
    of_warp = t.shuffle(of_warp, 31);
    if (of_warp + t.shuffle(before + mine, 31) > kTopKListed) return;
    std::uint32_t* at = shared.values + of_warp + before;
    const int column = pack_at<Block, T>(t, first, 0);
    STRATA_UNROLL
    for (int e = 0; e < kCount; ++e) {
        const int bit = SurvivorBits<T>::at(e);
        if ((survives[bit / 32] >> (bit % 32) & 1) == 0) continue;
        at[0] = bits_as<std::uint32_t>(held.get(e));
        at[kTopKListed] = std::uint32_t(column + e / kSize * Block::kThreads * kSize + e % kSize);
        ++at;
    }
}

// Appends this block's list to that of the cluster's first block. A list without room is counted all the same.
template <class Thread>
STRATA_BODY void gather_lists(Thread& t, const TopKShared& shared) {
    t.sync();
    const std::uint32_t mine = *shared.listed;
    if (t.cluster_rank() > 0) {
        if (t.thread() == 0) *shared.offset = Thread::atomic_add(t.shared_of(0, shared.listed), mine);
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
            Thread::atomic_add((key > kth.range.high ? shared.above : shared.equal) + at / 32, 1u << (at % 32));
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
        Thread::atomic_add(shared.above + at / 32, 1u << (at % 32));
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
        mine.add(std::uint32_t(Thread::ones(shared.above[word])), std::uint32_t(Thread::ones(shared.equal[word])));
    const std::uint64_t in_warp = warp_exclusive_sum(t, mine.both);
    if (t.lane() == 31) shared.chosen[t.warp()] = in_warp + mine.both;
    t.sync();
    const std::uint64_t of_warp = t.lane() < t.warps() ? shared.chosen[t.lane()] : 0;
    const Counts start{before.both + in_warp + warp_sum(t, t.lane() < t.warp() ? of_warp : 0)};
    before.both += warp_sum(t, of_warp);
    std::uint32_t above = start.above(), equal = start.equal();
    for (int word = from; word < to; ++word) {
        const std::uint32_t of_above = shared.above[word];
        for (std::uint32_t bits = of_above | shared.equal[word]; bits != 0; bits &= bits - 1) {
            const std::uint32_t lowest = bits & (0u - bits);
            const bool is_equal = (of_above & lowest) == 0;
            if (!is_equal || equal < equal_wanted)
                write(above + (equal < equal_wanted ? equal : equal_wanted),
                      first + word * 32 + Thread::ones(lowest - 1));
            ++(is_equal ? equal : above);
        }
        shared.above[word] = shared.equal[word] = 0;
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

// The row of the block that probably follows on this SM, brought to L2 while this one counts and HBM would rest.
template <TopKHold hold, class T, class Thread>
STRATA_BODY void prefetch_next_row(Thread& t, const TopKTask<T>& task, long row) {
    const long next = row + kTopKPlaces * TopKBlock<hold>::kAnSm;
    if (t.warp() > 0 || next >= task.rows) return;
    const RowBounds bounds = bounds_of(task, next);
    constexpr int kRun = 4096 / int(sizeof(T)), kSize = Pack<T>::kSize;
    for (int at = bounds.begin / kSize * kSize + t.lane() * kRun; at < bounds.end; at += 32 * kRun) {
        const int left = (bounds.end - at + kSize - 1) / kSize * kSize;
        prefetch_to_l2(task.logits + next * task.stride + at, std::uint32_t((left < kRun ? left : kRun) * sizeof(T)));
    }
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
    LogitsSlice<T, Block::kPacks> held = load_held<Block>(t, slice, 0);
    clear(t, task, shared);
    t.sync();

    const int group = packs_a_group(elements, task.k);
    KeyRange range{0, 0xFFFFFFFFu};
    auto maxima = group_maxima(held, group);
    if (kHeld)
        range = range_of(t, maxima, shared, task.cluster);
    else if (task.cluster > 1)
        t.sync_cluster();
    if (kHeld && task.cluster == 1) prefetch_next_row<hold>(t, task, row);
    if (group > 0) count_maxima<Thread>(maxima, range, shared);
    for (int from = kPart; !kHeld && group > 0 && from < slice.count; from += kPart)
        count_maxima<Thread>(group_maxima(load_held<Block>(t, slice, from), group), range, shared);
    const Bin bound = find_bin(t, shared, std::uint32_t(task.k), task.log2_cluster);
    if (bound.count > 0) range.low += bound.at << range.shift();
    const float least = bound.count > 0 ? of_order(range.low) : NAN;

    if (least == least) {
        if (kHeld) list_survivors<Block>(t, held, least, slice.first, shared);
        for (int from = 0; !kHeld && from < slice.count; from += kPart)
            list_survivors<Block>(t, load_held<Block>(t, slice, from), least, slice.first + from, shared);
    } else {
        range = {0, 0xFFFFFFFFu};
    }
    if (task.cluster > 1) {
        gather_lists(t, shared);
        if (t.cluster_rank() > 0) return;
    } else {
        t.sync();
    }
    const int survive = int(*shared.listed);
    const Survivors<T> survivors{.are_listed = least == least && survive <= kTopKListed,
                                 .count = survive,
                                 .row = task.logits + row * task.stride,
                                 .bounds = bounds};
    const KthLargest kth = kth_largest(t, survivors, range, std::uint32_t(task.k), shared);
    write_chosen(t, task, row, survivors, kth, shared);
}

}  // namespace strata
