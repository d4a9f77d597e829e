// Sinkhorn-balanced momentum over the touched rows of an Engram table. The normalised matrix is never stored: it is
// diag(r) M diag(c), and a pass over M finds a row's factor and, with the row still in registers, adds to the columns'
// sums, so that two normalisations cost one reading. A warp takes four rows at a time. Blocks add up in a
// fixed order: the same input and number of blocks give the same bits.
//   accumulate: M = mu M + G, norms of rows, their mean    pass: rows, columns' sums    columns: their factors
//   ... pass and columns (iterations - 1) / 2 times ...    apply: rows once more, weights, the table's FP8 rows
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
#include "kernels/simt/warp.hpp"

namespace strata {

inline constexpr int kSinkhornWidth = kEngramRowWidth;
inline constexpr int kSinkhornThreads = 512;
inline constexpr int kSinkhornColumnThreads = 1024;  // of the one block that finishes the columns
inline constexpr int kSinkhornAtOnce = 4;            // rows of a warp

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
    int iterations = 11;  // odd
    int blocks = 132;     // one an SM of an H200; a multiple of 4
};

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

template <class Thread>
STRATA_BODY float norm_of_row(Thread& t, RowPart part) {
    float squares = 0;
    STRATA_UNROLL
    for (int i = 0; i < 8; ++i) squares += part.at(i) * part.at(i);
    return sqrtf(warp_sum(t, squares));
}

// Calls row(index, table row) for every row of this warp; four of them are begun together: `load(slot, table row)`
// comes first for all four. An id out of range is passed as -1 and has nothing to load.
template <class Thread, class Load, class Row>
STRATA_BODY void walk_rows(Thread& t, const SinkhornMomentumTask& task, Load load, Row row) {
    const long step = long(t.blocks()) * t.warps();
    for (long first = long(t.block()) * t.warps() + t.warp(); first < task.rows; first += kSinkhornAtOnce * step) {
        long ids[kSinkhornAtOnce];
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i) {
            const long index = first + i * step;
            ids[i] = index >= task.rows ? -1 : task.ids ? task.ids[index] : index;
            if (ids[i] >= task.table_rows || ids[i] < 0) ids[i] = -1;
            if (ids[i] >= 0) load(i, index, ids[i]);
        }
        STRATA_UNROLL
        for (int i = 0; i < kSinkhornAtOnce; ++i)
            if (first + i * step < task.rows) row(i, first + i * step, ids[i]);
    }
}

// Norms at or below this are masked. Every warp adds the blocks' sums up itself, in the same order.
template <class Thread>
STRATA_BODY float norm_threshold(Thread& t, const SinkhornMomentumTask& task) {
    float sum = 0, count = 0;
    for (int block = t.lane(); block < task.blocks; block += 32)
        sum += task.means[block * 2], count += task.means[block * 2 + 1];
    sum = warp_sum(t, sum), count = warp_sum(t, count);
    return count > 0 ? task.tau * sum / count : 0.0f;
}

inline constexpr float kMaskedRow = -1.0f;  // in place of a norm

template <class Thread>
STRATA_BODY void sinkhorn_accumulate(Thread& t, const SinkhornMomentumTask& task) {
    RowPart momentum[kSinkhornAtOnce];
    Neighbours<Bf16, 4> gradient[kSinkhornAtOnce][2];
    float sum = 0, count = 0;
    bool wrong = false;
    walk_rows(
        t, task,
        [&](int i, long index, long id) {
            momentum[i] = load_row(task.momentum + id * kSinkhornWidth, t.lane());
            const Bf16* row = task.gradient + index * kSinkhornWidth;
            gradient[i][0] = load_neighbours<4>(row, column_of(t.lane(), 0));
            gradient[i][1] = load_neighbours<4>(row, column_of(t.lane(), 1));
        },
        [&](int i, long index, long id) {
            STRATA_UNROLL
            for (int e = 0; e < 8; ++e)
                momentum[i].at(e) = fmaf(task.mu, momentum[i].at(e), to_float(gradient[i][e / 4].at[e % 4]));
            const float norm = norm_of_row(t, momentum[i]);
            const bool counts = id >= 0 && norm - norm == 0;  // neither NaN nor infinite
            if (t.lane() == 0) task.norms[index] = counts ? norm : kMaskedRow;
            if (!counts) {
                wrong = true;
                return;
            }
            sum += norm, count += 1;
            float* row = task.momentum + id * kSinkhornWidth;
            store_neighbours(row, column_of(t.lane(), 0), momentum[i].half[0]);
            store_neighbours(row, column_of(t.lane(), 1), momentum[i].half[1]);
        });
    if (wrong && t.lane() == 0) t.atomic_max(task.error, 1);
    auto* scratch = reinterpret_cast<float*>(t.shared());
    sum = block_sum(t, t.lane() == 0 ? sum : 0.0f, scratch);
    count = block_sum(t, t.lane() == 0 ? count : 0.0f, scratch);
    if (t.thread() == 0) task.means[t.block() * 2] = sum, task.means[t.block() * 2 + 1] = count;
    if (t.block() == 0 && t.thread() < kSinkhornWidth) task.columns[t.thread()] = 1;
}

// What a pass and the last step share: the rows that are not masked, each with its columns' factors, and 1 / its norm.
template <class Thread, class Use>
STRATA_BODY void walk_normalised_rows(Thread& t, const SinkhornMomentumTask& task, Use use) {
    const float threshold = norm_threshold(t, task);
    RowPart factors = load_row(task.columns, t.lane());
    RowPart momentum[kSinkhornAtOnce];
    walk_rows(
        t, task, [&](int i, long, long id) { momentum[i] = load_row(task.momentum + id * kSinkhornWidth, t.lane()); },
        [&](int i, long index, long id) {
            if (task.norms[index] <= threshold) return;  // kMaskedRow is below any
            STRATA_UNROLL
            for (int e = 0; e < 8; ++e) momentum[i].at(e) *= factors.at(e);
            use(momentum[i], 1.0f / norm_of_row(t, momentum[i]), id);
        });
}

template <class Thread>
STRATA_BODY void sinkhorn_pass(Thread& t, const SinkhornMomentumTask& task) {
    RowPart squares{};
    walk_normalised_rows(t, task, [&](RowPart& row, float factor, long) {
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
    for (int block = 0; block < blocks; ++block) sum += task.sums[(quarter * blocks + block) * kSinkhornWidth + column];
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
    walk_normalised_rows(t, task, [&](RowPart& row, float factor, long id) {
        float* weights = task.weight + id * kSinkhornWidth;
        RowPart weight = load_row(weights, t.lane());
        STRATA_UNROLL
        for (int e = 0; e < 8; ++e) weight.at(e) = fmaf(-move, row.at(e) * factor, weight.at(e) * kept);
        store_neighbours(weights, column_of(t.lane(), 0), weight.half[0]);
        store_neighbours(weights, column_of(t.lane(), 1), weight.half[1]);
        if (task.table) store_quantised(t, task.table + id * kEngramRowStride, weight);
    });
}

}  // namespace strata
