// What top-k is asked for, and how a problem is divided over blocks and shared memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

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

    // Chosen by `planned`, unless set: blocks that share a row, and the keys that each keeps, -1 for none.
    int cluster = 0;
    long keys_in_shared = 0;
};

inline constexpr int kCandidateBlock = 8;  // positions (V4.1)
inline constexpr int kTopKThreads = 512;
inline constexpr int kTopKWarps = kTopKThreads / 32;
inline constexpr int kTopKBits = 11;
inline constexpr int kTopKBins = 1 << kTopKBits;
inline constexpr int kTopKHistograms = 4;             // of groups, and of 32 bits, eleven at a time
inline constexpr int kTopKMostShare = kTopKBins / 2;  // of a block of a cluster
inline constexpr int kTopKWords = kTopKBins + kTopKHistograms * kTopKMostShare;
inline constexpr std::size_t kTopKFixedBytes = kTopKWords * 4 + 256;  // histograms and a few sums
inline constexpr std::size_t kTopKMostBytes = 227 * 1024;
inline constexpr std::size_t kTopKSliceBytes = 32 * 1024;
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

// A block takes 32 KB of a row if a cluster of 16 can, and as much as it can hold where it cannot.
template <class T>
TopKTask<T> planned(TopKTask<T> task) {
    const long bytes = task.columns * long(sizeof(T));
    if (task.cluster == 0)
        for (task.cluster = 1; task.cluster < 16 && bytes > task.cluster * long(kTopKSliceBytes);) task.cluster *= 2;
    if (task.keys_in_shared == 0) {
        const long slice = (bytes / task.cluster + 63) / 16 * 16;  // a row that starts within a pack has one more
        task.keys_in_shared = std::min(slice, long(kTopKMostBytes - kTopKFixedBytes)) / long(sizeof(T));
        if (slice > long(kTopKMostBytes - kTopKFixedBytes)) task.keys_in_shared = -1;  // read again instead
    }
    return task;
}

// Whether the keys of a row stay in shared memory; of a planned task, as the grid is.
template <class T>
bool stays(const TopKTask<T>& task) {
    return task.keys_in_shared > 0;
}

template <class T>
Grid grid_of(const TopKTask<T>& task) {
    return {.blocks = int(task.rows * task.cluster),
            .threads = kTopKThreads,
            .cluster = task.cluster,
            .shared_bytes = kTopKFixedBytes + std::size_t(std::max(task.keys_in_shared, 0L)) * sizeof(T)};
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

// Groups as large as still give 2 k maxima; with fewer than k there is nothing to bound with.
STRATA_HD int packs_a_group(int elements, int k, int pack) {
    for (int packs = 4; packs > 1; packs /= 2)
        if (elements >= 2L * k * packs * pack) return packs;
    return elements >= long(k) * pack ? 1 : 0;
}

}  // namespace strata
