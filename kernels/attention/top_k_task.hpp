// What top-k is asked for, and how a problem is divided over blocks and shared memory.
#pragma once

#include <bit>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

// How much of its part of a row a block holds in registers: packs of 16 bytes a thread. Nothing: not all of it, and all
// but its beginning is read twice, the second time from L2.
enum class TopKHold { unknown, nothing, little, much };

template <TopKHold hold>
struct TopKBlock {
    static constexpr int kThreads = 512;
    static constexpr int kPacks = hold == TopKHold::much ? 8 : 4;
    static constexpr int kAnSm = 2;  // one works while the other waits
};

// Rows of float or Bf16 logits. A row's own part is [begin, end); what stands outside is never looked at.
template <class T>
struct TopKTask {
    const T* logits = nullptr;            // [rows][stride]
    const std::int32_t* begin = nullptr;  // [rows]; none: 0
    const std::int32_t* end = nullptr;    // [rows]; none: all columns
    std::int32_t* indices = nullptr;      // [rows][k], ascending, -1 after the last
    long rows = 0;
    long columns = 0;
    long stride = 0;  // elements from row to row: a multiple of 16 bytes
    int k = 0;

    // Where columns are slots of candidate blocks: slot s of a row stands for position blocks[s / 8] * 8 + s % 8, `end`
    // counts positions, and positions are what is written. The blocks of a row ascend, -1 after the last, and hold the
    // newest one if it is not full.
    const std::int32_t* blocks = nullptr;  // [rows][columns / 8]

    // Chosen by `planned`, unless set.
    int cluster = 0;  // blocks that share a row, a power of two
    int log2_cluster = 0;
    TopKHold hold = TopKHold::unknown;
};

inline constexpr int kCandidateBlock = 8;  // positions (V4.1)
inline constexpr int kTopKBits = 11;
inline constexpr int kTopKBins = 1 << kTopKBits;
inline constexpr int kTopKListed = 8192;                       // survivors that a block has room for
inline constexpr int kTopKWindow = 1 << 17;                    // positions marked at once
inline constexpr int kTopKLeastSlice = 2048;                   // elements that are worth a block
inline constexpr int kTopKFewest = 32;                         // survivors that one warp puts in order
inline constexpr int kTopKFixedWords = 128 + 2 * kTopKFewest;  // of shared memory: a few sums
inline constexpr long kTopKMostColumns = 1L << 23;

template <class T>
void require_valid(const TopKTask<T>& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("top-k: " + what); };
    if (task.rows < 0 || task.columns < 0 || task.columns > kTopKMostColumns || task.rows > 0x7FFFFFFFL / 16)
        refuse(std::to_string(task.rows) + " rows of " + std::to_string(task.columns) +
               "; expected at most 2^27 rows of at most 2^23");
    if (task.k < 1) refuse("k is " + std::to_string(task.k) + "; expected 1 or more");
    if (task.stride < task.columns || task.stride * long(sizeof(T)) % 16 != 0)
        refuse("rows are " + std::to_string(task.stride) + " elements apart; expected no fewer than columns, and a " +
               "multiple of 16 bytes");
    if (task.blocks && (task.columns % kCandidateBlock != 0 || task.begin || !task.end))
        refuse("slots of candidates need whole blocks, an end and no begin");
    if (task.rows > 0 && (!task.indices || (task.columns > 0 && !task.logits)))
        refuse("a buffer is missing (logits and indices are needed)");
    if (reinterpret_cast<std::uintptr_t>(task.logits) % 16 != 0) refuse("logits must be aligned to 16 bytes");
}

// Elements of a row that each block of its cluster looks at, whole packs.
template <class T>
long slice_of(const TopKTask<T>& task) {
    const long size = Pack<T>::kSize;
    return ceil_div(task.columns, task.cluster * size) * size;
}

// Elements that a block holds.
template <class T>
constexpr long held_by(TopKHold hold) {
    const long pack = Pack<T>::kSize;
    switch (hold) {
        case TopKHold::little:
            return pack * TopKBlock<TopKHold::little>::kPacks * TopKBlock<TopKHold::little>::kThreads;
        case TopKHold::much: return pack * TopKBlock<TopKHold::much>::kPacks * TopKBlock<TopKHold::much>::kThreads;
        default: return 0;
    }
}

inline constexpr int kTopKPlaces = 132;             // SMs
inline constexpr long kTopKReadAgain = 128 * 1024;  // bytes of a row: those of all places are half of L2

// Where there are many rows, and L2 has a row of each place when it is read again, blocks need not wait for each other;
// else a cluster, so large that its registers hold the row, if any does, and that few rows fill the GPU.
template <class T>
TopKTask<T> planned(TopKTask<T> task) {
    const auto wants_more = [&task] {
        const long slice = slice_of(task);
        if (task.rows >= kTopKPlaces && task.columns * long(sizeof(T)) <= kTopKReadAgain) return false;
        return slice > held_by<T>(TopKHold::much) ||
               (slice > kTopKLeastSlice && task.rows * task.cluster < kTopKPlaces);
    };
    if (task.cluster == 0)
        for (task.cluster = 1; task.cluster < 16 && wants_more();) task.cluster *= 2;
    task.log2_cluster = int(std::bit_width(unsigned(task.cluster))) - 1;
    if (task.hold == TopKHold::unknown) {
        task.hold = TopKHold::nothing;
        for (const TopKHold hold : {TopKHold::much, TopKHold::little})
            if (slice_of(task) <= held_by<T>(hold)) task.hold = hold;
    }
    return task;
}

// Words of positions that are marked at once, of shared memory that they take for each of two bits, and of this block's
// share of the cluster's bins. A word is left out after each 32: threads that go through runs of 2, 4, 8.. words at
// once find theirs in different banks.
template <class T>
STRATA_HD int window_words(const TopKTask<T>& task) {
    return task.columns < kTopKWindow ? (int(task.columns) + 127) / 128 * 4 : kTopKWindow / 32;
}
STRATA_HD int spread(int word) { return word + word / 32; }
template <class T>
STRATA_HD int spread_words(const TopKTask<T>& task) {
    return (spread(window_words(task)) + 3) / 4 * 4;
}
template <class T>
STRATA_HD int share_words(const TopKTask<T>& task) {
    return task.log2_cluster > 0 ? kTopKBins >> task.log2_cluster : 0;
}

template <class T>
Grid grid_of(const TopKTask<T>& task) {
    const int words = kTopKFixedWords + kTopKBins + 2 * kTopKListed + share_words(task) + 2 * spread_words(task);
    return {.blocks = int(task.rows * task.cluster),
            .threads = TopKBlock<TopKHold::nothing>::kThreads,
            .cluster = task.cluster,
            .shared_bytes = std::size_t(words) * 4};
}

struct RowBounds {
    int begin;
    int end;
};

// Bounds as the device has them, cut to the row.
template <class T>
STRATA_HD RowBounds bounds_of(const TopKTask<T>& task, long row) {
    const int columns = int(task.columns);
    int begin = task.begin ? task.begin[row] : 0, end = task.end ? task.end[row] : columns;
    if (end < 0) end = 0;
    if (task.blocks) {  // whole blocks but for the newest, which is the last
        const int missing = (kCandidateBlock - end % kCandidateBlock) % kCandidateBlock;
        end = end < columns ? end : columns - missing;
    }
    if (end > columns) end = columns;
    if (begin < 0) begin = 0;
    if (begin > end) begin = end;
    return {begin, end};
}

// What is written for a column: itself, or the position that it is a slot of.
template <class T>
STRATA_HD std::int32_t position_of(const TopKTask<T>& task, long row, int column) {
    if (!task.blocks) return column;
    const std::int32_t block = task.blocks[row * (task.columns / kCandidateBlock) + column / kCandidateBlock];
    const long position = long(block) * kCandidateBlock + column % kCandidateBlock;
    return block < 0 || position >= task.end[row] ? -1 : std::int32_t(position);
}

// Groups are of four elements of one, two or four packs: as large as still give 2 k maxima. With fewer than k, 0: there
// is nothing to bound with.
STRATA_HD int packs_a_group(int elements, int k) {
    for (int packs = 4; packs > 1; packs /= 2)
        if (elements >= 8L * k * packs) return packs;
    return elements >= 4L * k ? 1 : 0;
}

}  // namespace strata
