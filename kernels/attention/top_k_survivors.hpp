// The first half of top-k: what a block holds of a row, the bound from its groups' maxima, and the list of those that
// reach it (top_k_body.hpp has the idea).
#pragma once

#include <bit>

#include "kernels/attention/top_k_task.hpp"
#include "kernels/ordered.hpp"
#include "kernels/rl/logits_slice.hpp"
#include "kernels/simt/packed_bf16.hpp"
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
            .equal = above + spread_words(task)};
}

template <class T, class Thread>
STRATA_BODY void clear(Thread& t, const TopKTask<T>& task, const TopKShared& shared) {
    const Pack<std::uint32_t> none{};
    if (t.thread() < kTopKBins / 4) store_pack(shared.bins, 4 * t.thread(), none);
    const int words = share_words(task) + 2 * spread_words(task);
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

// Of all maxima so far, which are all elements' in the end; NaN before the first.
struct Extremes {
    float smallest = NAN;
    float largest = NAN;

    template <class T, int words>
    STRATA_BODY void add(const Maxima<T, words>& maxima) {
        STRATA_UNROLL
        for (int i = 0; i < maxima.kCount; ++i) {
            smallest = fminf(smallest, maxima.get(i));
            largest = fmaxf(largest, maxima.get(i));
        }
    }
};

// The keys of what this block's threads found, to be read behind a barrier.
template <class Thread>
STRATA_BODY void note(Thread& t, const Extremes& extremes, const TopKShared& shared) {
    const bool any = extremes.largest == extremes.largest;
    const std::uint32_t high = t.largest(any ? ordered(extremes.largest) : 0);
    const std::uint32_t not_low = t.largest(any ? ~ordered(extremes.smallest) : 0);
    if (t.lane() == 0) {
        Thread::atomic_max(shared.range, high);
        Thread::atomic_max(shared.range + 1, not_low);
    }
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

}  // namespace strata
