// Sinkhorn-balanced momentum over the touched rows of an Engram table. The normalised matrix is never stored: it is
// diag(r) M diag(c), and a pass over M finds a row's factor and, with the row still in registers, adds to the columns'
// sums, so that two normalisations cost one reading. A warp takes four rows at a time. Blocks add up in a
// fixed order: the same input and number of blocks give the same bits.
//   accumulate: M = mu M + G, norms of rows, their mean    pass: rows, columns' sums    columns: their factors
//   ... pass and columns (iterations - 1) / 2 times ...    apply: rows once more, weights, the table's FP8 rows
// Every other walk over the rows goes from the last to the first: what the walk before it read last is still in L2.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/engram/engram_row.hpp"
#include "kernels/optimizer/neighbours.hpp"
#include "kernels/quant/quantise_body.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

inline constexpr int kSinkhornWidth = kEngramRowWidth;
inline constexpr int kSinkhornThreads = 512;
inline constexpr int kSinkhornColumnThreads = 1024;  // of the one block that finishes the columns
inline constexpr int kSinkhornAtOnce = 4;            // rows of a warp
inline constexpr int kSinkhornSumsAtOnce = 17;       // of a column, in flight

struct SinkhornMomentumTask {
    const Bf16* gradient = nullptr;     // [rows][256]
    const std::int32_t* ids = nullptr;  // [rows]: the table row of each, every one at most once; absent: row i is i
    float* momentum = nullptr;          // [table_rows][256]
    float* weight = nullptr;            // [table_rows][256]
    std::uint8_t* table = nullptr;  // [table_rows] of 272 bytes: updated rows are stored quantised too; may be absent
    float* norms = nullptr;         // [rows], scratch
    float* sums = nullptr;          // [blocks][256], scratch
    float* means = nullptr;         // [blocks][2], scratch: norms of a block's rows added up, and how many they are
    float* columns = nullptr;       // [256], scratch: the columns' factors
    int* error = nullptr;           // becomes 1 where an id is out of range or a row is not finite
    long rows = 0;
    long table_rows = 0;
    float mu = 0.95f, rate = 0, gamma = 0.18f, tau = 1e-3f, decay = 0;
    int iterations = 11;     // odd
    int blocks = 132;        // one an SM of an H200; a multiple of 4
    bool backwards = false;  // this walk over the rows
};

// The task as walk `walk` over the rows has it: 0 accumulates, then come the passes, then what applies.
inline SinkhornMomentumTask sinkhorn_walk(SinkhornMomentumTask task, int walk) {
    task.backwards = walk % 2 != 0;
    return task;
}

inline void require_valid(const SinkhornMomentumTask& task) {
    if (task.rows < 0 || task.table_rows < 0 || (!task.ids && task.rows > task.table_rows))
        throw std::invalid_argument("sinkhorn_momentum: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(task.table_rows) + "; expected ids, or no more than there are");
    if (task.iterations < 1 || task.iterations % 2 == 0)
        throw std::invalid_argument("sinkhorn_momentum: " + std::to_string(task.iterations) +
                                    " normalisations; expected an odd number: rows are first and last");
    if (task.blocks < 4 || task.blocks % 4 != 0)
        throw std::invalid_argument("sinkhorn_momentum: " + std::to_string(task.blocks) +
                                    " blocks; expected a positive multiple of 4");
    if (task.rows > 0 && (!task.gradient || !task.momentum || !task.weight || !task.norms || !task.sums ||
                          !task.means || !task.columns || !task.error))
        throw std::invalid_argument("sinkhorn_momentum: a buffer is missing (all but ids and table are needed)");
    for (const void* buffer : {static_cast<const void*>(task.gradient), static_cast<const void*>(task.momentum),
                               static_cast<const void*>(task.weight), static_cast<const void*>(task.table),
                               static_cast<const void*>(task.columns)})
        if (reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0)
            throw std::invalid_argument(
                "sinkhorn_momentum: gradient, momentum, weight, table and columns must be "
                "aligned to 16 bytes");
}

inline Grid sinkhorn_rows_grid(const SinkhornMomentumTask& task) {
    return {.blocks = task.blocks,
            .threads = kSinkhornThreads,
            .shared_bytes = std::size_t(kSinkhornThreads / 32) * kSinkhornWidth * sizeof(float)};
}
inline Grid sinkhorn_columns_grid() {
    return {.threads = kSinkhornColumnThreads, .shared_bytes = kSinkhornColumnThreads * sizeof(float)};
}

// A lane's eight elements of a row: four from column lane * 4 and four from 128 on.
struct RowPart {
    Neighbours<float, 4> half[2];
    STRATA_HD float& at(int i) { return half[i / 4].at[i % 4]; }
};

STRATA_HD int column_of(int lane, int half) { return half * (kSinkhornWidth / 2) + lane * 4; }

STRATA_HD RowPart load_row(const float* row, int lane) {
    return {{load_neighbours<4>(row, column_of(lane, 0)), load_neighbours<4>(row, column_of(lane, 1))}};
}

// The norms of four rows: their shuffles run side by side.
template <class Thread>
STRATA_BODY void norms_of_rows(Thread& t, RowPart (&rows)[kSinkhornAtOnce], float (&norms)[kSinkhornAtOnce]) {
    STRATA_UNROLL
    for (int i = 0; i < kSinkhornAtOnce; ++i) {
        norms[i] = 0;
        STRATA_UNROLL
        for (int e = 0; e < 8; ++e) norms[i] += rows[i].at(e) * rows[i].at(e);
    }
    STRATA_UNROLL
    for (int step = 16; step > 0; step /= 2) {
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) norms[i] += t.shuffle_xor(norms[i], step);
    }
    STRATA_UNROLL
    for (int i = 0; i < kSinkhornAtOnce; ++i) norms[i] = sqrtf(norms[i]);
}

// The walk's place-th row.
STRATA_HD long row_at(const SinkhornMomentumTask& task, long place) {
    return task.backwards ? task.rows - 1 - place : place;
}

// The ids of four rows of a warp, `step` apart: -1 beyond the last row and where an id is out of range.
STRATA_BODY void load_ids(const SinkhornMomentumTask& task, long first, long step,
                          std::int32_t (&id)[kSinkhornAtOnce]) {
    STRATA_UNROLL
    for (int i = 0; i < kSinkhornAtOnce; ++i) {
        const long place = first + i * step, index = row_at(task, place);
        id[i] = place >= task.rows ? -1 : task.ids ? task.ids[index] : std::int32_t(index);
        if (id[i] >= task.table_rows || id[i] < 0) id[i] = -1;
    }
}

// Calls group(index, id) for every four rows of this warp: their places among the touched rows, -1 beyond the last, and
// in the table, -1 where the id is out of range too. The next four ids are on their way meanwhile: rows cannot be asked
// for before their ids are there.
template <class Thread, class Group>
STRATA_BODY void walk_rows(Thread& t, const SinkhornMomentumTask& task, Group group) {
    const long step = long(t.blocks()) * t.warps();
    long first = long(t.block()) * t.warps() + t.warp();
    std::int32_t next[kSinkhornAtOnce];
    load_ids(task, first, step, next);
    for (; first < task.rows; first += kSinkhornAtOnce * step) {
        long index[kSinkhornAtOnce], id[kSinkhornAtOnce];
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) {
            index[i] = first + i * step < task.rows ? row_at(task, first + i * step) : -1;
            id[i] = next[i];
        }
        load_ids(task, first + kSinkhornAtOnce * step, step, next);
        group(index, id);
    }
}

// Norms at or below this are masked. Every warp adds the blocks' sums up itself, in the same order.
template <class Thread>
STRATA_BODY float norm_threshold(Thread& t, const SinkhornMomentumTask& task) {
    constexpr int kAtOnce = 5;  // of an H200's blocks, all
    float sum = 0, count = 0;
    for (int first = t.lane(); first < task.blocks; first += kAtOnce * 32) {
        float sums[kAtOnce], counts[kAtOnce];
        STRATA_UNROLL
        for (int i = 0; i < kAtOnce; ++i) {
            const int block = first + i * 32;
            sums[i] = block < task.blocks ? task.means[block * 2] : 0;
            counts[i] = block < task.blocks ? task.means[block * 2 + 1] : 0;
        }
        STRATA_UNROLL
        for (int i = 0; i < kAtOnce; ++i) sum += sums[i], count += counts[i];
    }
    sum = warp_sum(t, sum), count = warp_sum(t, count);
    return count > 0 ? task.tau * sum / count : 0.0f;
}

inline constexpr float kMaskedRow = -1.0f;  // in place of a norm

template <class Thread>
STRATA_BODY void sinkhorn_accumulate(Thread& t, const SinkhornMomentumTask& task) {
    float sum = 0, count = 0;
    bool wrong = false;
    walk_rows(t, task, [&](const long(&index)[kSinkhornAtOnce], const long(&id)[kSinkhornAtOnce]) {
        RowPart momentum[kSinkhornAtOnce];
        Neighbours<std::uint32_t, 2> gradient[kSinkhornAtOnce][2];  // as words, so that all are under way at once
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) {
            momentum[i] = id[i] >= 0 ? load_row(task.momentum + id[i] * kSinkhornWidth, t.lane()) : RowPart{};
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half)
                gradient[i][half] =
                    id[i] >= 0 ? load_neighbours<2>(
                                     reinterpret_cast<const std::uint32_t*>(task.gradient + index[i] * kSinkhornWidth),
                                     column_of(t.lane(), half) / 2)
                               : Neighbours<std::uint32_t, 2>{};
        }
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) STRATA_UNROLL
        for (int e = 0; e < 8; ++e) {
            const std::uint32_t two = gradient[i][e / 4].at[e % 4 / 2];
            momentum[i].at(e) = fmaf(task.mu, momentum[i].at(e), e % 2 ? high_of(two) : low_of(two));
        }
        float norms[kSinkhornAtOnce];
        norms_of_rows(t, momentum, norms);
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) {
            if (index[i] < 0) continue;
            const bool counts = id[i] >= 0 && norms[i] - norms[i] == 0;  // neither NaN nor infinite
            if (t.lane() == 0) task.norms[index[i]] = counts ? norms[i] : kMaskedRow;
            wrong = wrong || !counts;
            if (!counts) continue;
            sum += norms[i], count += 1;
            float* row = task.momentum + id[i] * kSinkhornWidth;
            store_neighbours(row, column_of(t.lane(), 0), momentum[i].half[0]);
            store_neighbours(row, column_of(t.lane(), 1), momentum[i].half[1]);
        }
    });
    if (wrong && t.lane() == 0) t.atomic_max(task.error, 1);
    auto* scratch = reinterpret_cast<float*>(t.shared());
    sum = block_sum(t, t.lane() == 0 ? sum : 0.0f, scratch);
    count = block_sum(t, t.lane() == 0 ? count : 0.0f, scratch);
    if (t.thread() == 0) task.means[t.block() * 2] = sum, task.means[t.block() * 2 + 1] = count;
    if (t.block() == 0 && t.thread() < kSinkhornWidth) task.columns[t.thread()] = 1;
}

// What a pass and the last step share. load(i, id) begins what a row needs beside its momentum; use(i, row, 1 / norm,
// id) gets the rows that are not masked, multiplied by their columns' factors.
template <class Thread, class Load, class Use>
STRATA_BODY void walk_normalised_rows(Thread& t, const SinkhornMomentumTask& task, Load load, Use use) {
    float threshold = kMaskedRow;  // found while the first rows are on their way
    RowPart factors = load_row(task.columns, t.lane());
    walk_rows(t, task, [&](const long(&index)[kSinkhornAtOnce], const long(&id)[kSinkhornAtOnce]) {
        RowPart rows[kSinkhornAtOnce];
        float before[kSinkhornAtOnce];  // any normalisation
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) {
            rows[i] = id[i] >= 0 ? load_row(task.momentum + id[i] * kSinkhornWidth, t.lane()) : RowPart{};
            before[i] = id[i] >= 0 ? task.norms[index[i]] : kMaskedRow;
            if (id[i] >= 0) load(i, id[i]);
        }
        if (threshold == kMaskedRow) threshold = norm_threshold(t, task);
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) STRATA_UNROLL
        for (int e = 0; e < 8; ++e) rows[i].at(e) *= factors.at(e);
        float norms[kSinkhornAtOnce];
        norms_of_rows(t, rows, norms);
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i)
            if (before[i] > threshold) use(i, rows[i], 1.0f / norms[i], id[i]);
    });
}

template <class Thread>
STRATA_BODY void sinkhorn_pass(Thread& t, const SinkhornMomentumTask& task) {
    RowPart squares{};
    const auto nothing_more = [](int, long) {};
    walk_normalised_rows(t, task, nothing_more, [&](int, RowPart& row, float factor, long) {
        STRATA_UNROLL
        for (int e = 0; e < 8; ++e) squares.at(e) = fmaf(row.at(e) * factor, row.at(e) * factor, squares.at(e));
    });
    auto* of_warps = reinterpret_cast<float*>(t.shared());  // [warps][256]
    for (int half = 0; half < 2; ++half)
        store_neighbours(of_warps + t.warp() * kSinkhornWidth, column_of(t.lane(), half), squares.half[half]);
    t.sync();
    if (t.thread() >= kSinkhornWidth) return;
    float sum = 0;
    for (int warp = 0; warp < t.warps(); ++warp) sum += of_warps[warp * kSinkhornWidth + t.thread()];
    task.sums[t.block() * kSinkhornWidth + t.thread()] = sum;
}

template <class Thread>
STRATA_BODY void sinkhorn_columns(Thread& t, const SinkhornMomentumTask& task) {
    constexpr int kQuarters = kSinkhornColumnThreads / kSinkhornWidth;
    const int blocks = task.blocks / kQuarters;
    auto* of_quarters = reinterpret_cast<float*>(t.shared());
    const int column = t.thread() % kSinkhornWidth, quarter = t.thread() / kSinkhornWidth;
    float sum = 0;
    for (int first = 0; first < blocks; first += kSinkhornSumsAtOnce) {
        float sums[kSinkhornSumsAtOnce];
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornSumsAtOnce; ++i)
            sums[i] = first + i < blocks ? task.sums[(quarter * blocks + first + i) * kSinkhornWidth + column] : 0;
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornSumsAtOnce; ++i) sum += sums[i];
    }
    of_quarters[t.thread()] = sum;
    t.sync();
    if (quarter > 0) return;
    for (int other = 1; other < kQuarters; ++other) sum += of_quarters[other * kSinkhornWidth + column];
    if (sum > 0) task.columns[column] /= sqrtf(sum);
}

// A row of the table as the gather reads it: 32 elements, four of eight lanes each, share a UE8M0 scale.
template <class Thread>
STRATA_BODY void store_quantised(Thread& t, std::uint8_t* row, RowPart& weight) {
    STRATA_UNROLL
    for (int half = 0; half < 2; ++half) {
        float amax = 0;
        STRATA_UNROLL
        for (int e = 0; e < 4; ++e) amax = amax_of(amax, weight.half[half].at[e]);
        const TileScale scale = tile_scale(warp_max<8>(t, amax), true);
        Neighbours<E4m3, 4> codes;
        STRATA_UNROLL
        for (int e = 0; e < 4; ++e) codes.at[e] = to_e4m3(weight.half[half].at[e] * scale.factor);
        store_neighbours(reinterpret_cast<E4m3*>(row), column_of(t.lane(), half), codes);
        if (t.lane() % 8 == 0) row[kEngramRowWidth + half * 4 + t.lane() / 8] = to_ue8m0(scale.scale).bits;
    }
}

template <class Thread>
STRATA_BODY void sinkhorn_apply(Thread& t, const SinkhornMomentumTask& task) {
    const float kept = 1 - task.rate * task.decay;
    const float move = task.rate * task.gamma * sqrtf(float(kSinkhornWidth));
    RowPart weights[kSinkhornAtOnce];
    const auto load = [&](int i, long id) { weights[i] = load_row(task.weight + id * kSinkhornWidth, t.lane()); };
    walk_normalised_rows(t, task, load, [&](int i, RowPart& row, float factor, long id) {
        STRATA_UNROLL
        for (int e = 0; e < 8; ++e) weights[i].at(e) = fmaf(-move, row.at(e) * factor, weights[i].at(e) * kept);
        float* to = task.weight + id * kSinkhornWidth;
        store_neighbours(to, column_of(t.lane(), 0), weights[i].half[0]);
        store_neighbours(to, column_of(t.lane(), 1), weights[i].half[1]);
        if (task.table) store_quantised(t, task.table + id * kEngramRowStride, weights[i]);
    });
}

}  // namespace strata
