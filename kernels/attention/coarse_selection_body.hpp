// The first half of coarse selection, thread by thread: the largest logit of each block of 8 positions that a query may
// look at. Top-k of these maxima gives its candidate blocks, ascending. Lanes read packs side by side, so that a warp
// reads 512 bytes in a row, and lanes of one block exchange what they found.
// A newest block that is not full is pinned by a maximum of infinity; infinite logits of others count as the largest
// number, so that nothing outranks it. NaN is ignored.
#pragma once

#include <cfloat>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/attention/top_k_task.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

template <class T>
struct CoarseTask {
    const T* logits = nullptr;           // [rows][stride]
    const std::int32_t* end = nullptr;   // [rows]: a query sees positions below it; none: all columns
    float* maxima = nullptr;             // [rows][maxima_stride], scratch
    std::int32_t* counts = nullptr;      // [rows], blocks that a query sees, scratch
    std::int32_t* candidates = nullptr;  // [rows][most_blocks], ascending, -1 after the last
    long rows = 0;
    long columns = 0;
    long stride = 0;
    long maxima_stride = 0;  // at least columns / 8, a multiple of 4
    int most_blocks = 2048;
};

// The second half.
template <class T>
TopKTask<float> selection_of(const CoarseTask<T>& task) {
    TopKTask<float> selection;
    selection.logits = task.maxima, selection.end = task.counts, selection.indices = task.candidates;
    selection.rows = task.rows, selection.columns = (task.columns + kCandidateBlock - 1) / kCandidateBlock;
    selection.stride = task.maxima_stride, selection.k = task.most_blocks;
    return selection;
}

template <class T>
void require_valid(const CoarseTask<T>& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("coarse selection: " + what); };
    if (task.stride < task.columns || task.stride * long(sizeof(T)) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.logits) % 16 != 0)
        refuse("rows must not overlap, and start at multiples of 16 bytes");
    if (task.rows > 0 && task.columns > 0 && (!task.logits || !task.maxima || !task.counts || !task.candidates))
        refuse("a buffer is missing (logits, maxima, counts and candidates are all needed)");
    require_valid(selection_of(task));
}

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr int kCoarseThreads = 256;
inline constexpr int kCoarsePacks = 4;  // of a thread in flight

template <class T>
STRATA_HD long positions_a_block() {
    return long(kCoarseThreads) * kCoarsePacks * Pack<T>::kSize;
}

template <class T>
Grid grid_of(const CoarseTask<T>& task) {
    return {.blocks = int(task.rows * ceil_div(task.columns, positions_a_block<T>())), .threads = kCoarseThreads};
}

// What stands behind the end shares a block only with the newest positions, and that block is pinned.
template <class T>
STRATA_BODY float largest_of(const Pack<T>& pack) {
    float most = -kInfinity;
    STRATA_UNROLL
    for (int i = 0; i < Pack<T>::kSize; ++i) {
        const float x = to_float(pack.at[i]);
        if (x > most) most = x < FLT_MAX ? x : FLT_MAX;
    }
    return most;
}

template <class T, class Thread>
STRATA_BODY void block_maxima(Thread& t, const CoarseTask<T>& task) {
    constexpr int kSize = Pack<T>::kSize, kLanes = kCandidateBlock / kSize;
    const int parts = int(ceil_div(task.columns, positions_a_block<T>()));
    const long row = t.block() / parts;
    const long first = t.block() % parts * positions_a_block<T>() + t.thread() * kSize;
    long end = task.end ? task.end[row] : task.columns;
    end = end < 0 ? 0 : end > task.columns ? task.columns : end;
    if (first == 0) task.counts[row] = std::int32_t(ceil_div(end, kCandidateBlock));
    Pack<T> packs[kCoarsePacks];
    STRATA_UNROLL
    for (int i = 0; i < kCoarsePacks; ++i) {
        const long at = first + i * kCoarseThreads * kSize;
        packs[i] = at < end ? load_pack(task.logits, row * task.stride + at) : Pack<T>{};
    }
    STRATA_UNROLL
    for (int i = 0; i < kCoarsePacks; ++i) {
        const long at = first + i * kCoarseThreads * kSize;
        const float most = warp_max<kLanes>(t, largest_of(packs[i]));
        if (at >= end || at % kCandidateBlock != 0) continue;
        const bool pinned = at + kCandidateBlock > end;
        task.maxima[row * task.maxima_stride + at / kCandidateBlock] = pinned ? kInfinity : most;
    }
}

}  // namespace strata
