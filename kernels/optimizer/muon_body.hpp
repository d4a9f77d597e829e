// Muon around its Newton-Schulz steps, thread by thread. Before: momentum and the squares of what is to be
// orthogonalised (accumulate), then that divided by its norm, in BF16 (normalise). After: the update of the master
// weights (apply). A matrix with more rows than columns is transposed on the way, in tiles of 64 x 64 through shared
// memory. Sums are in a fixed order: the same input gives the same bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/optimizer/neighbours.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// The length of an update (facts B12): so that it is as long as AdamW's would be, whatever the shape.
enum class MuonScale {
    aspect,     // sqrt(max(1, rows / columns)) (Jordan et al.)
    moonlight,  // 0.2 sqrt(max(rows, columns)) (Moonlight, arXiv 2502.16982)
    v4,         // 0.18 sqrt(max(rows, columns)) (DeepSeek-V4, arXiv 2606.19348, section 2.4)
};

inline float update_scale(MuonScale law, long rows, long columns) {
    const double longer = double(rows > columns ? rows : columns);
    switch (law) {
        case MuonScale::aspect: return rows > columns ? float(std::sqrt(double(rows) / double(columns))) : 1.0f;
        case MuonScale::moonlight: return float(0.2 * std::sqrt(longer));
        case MuonScale::v4: return float(0.18 * std::sqrt(longer));
    }
    return 0;  // unreachable: the enum is complete
}

struct MuonTask {
    const Bf16* gradient = nullptr;    // [matrices][rows][columns]
    float* momentum = nullptr;         // [matrices][rows][columns]
    float* master = nullptr;           // [matrices][rows][columns]
    Bf16* weight = nullptr;            // [matrices][rows][columns]
    Bf16* direction = nullptr;         // [matrices][shorter side][longer side]: what Newton-Schulz starts from
    const Bf16* orthogonal = nullptr;  // [matrices][shorter side][longer side]: what it ends with
    float* partials = nullptr;         // [matrices][kMuonParts], scratch
    long matrices = 0;
    long rows = 0;  // both multiples of 8
    long columns = 0;
    float mu = 0.95f, rate = 0, decay = 0.1f;  // (V4, algorithm 1)
    MuonScale scale = MuonScale::v4;
    bool nesterov = true;
};

inline constexpr int kMuonParts = 512;  // that may share the norm of a matrix: four blocks on each multiprocessor
inline constexpr int kMuonThreads = 256;
inline constexpr int kMuonTile = 64;
inline constexpr int kMuonGroup = 4;  // neighbours that a thread loads at once
inline constexpr int kMuonTileGroups = kMuonTile * kMuonTile / kMuonGroup / kMuonThreads;

inline void require_valid(const MuonTask& task) {
    if (task.matrices < 0 || task.matrices > 65535 || task.rows < 0 || task.columns < 0 || task.rows % 8 != 0 ||
        task.columns % 8 != 0 || task.rows > (1L << 20) || task.columns > (1L << 20))
        throw std::invalid_argument("muon: " + std::to_string(task.matrices) + " matrices of " +
                                    std::to_string(task.rows) + " x " + std::to_string(task.columns) +
                                    "; expected at most 65535, and multiples of 8 up to 2^20");
}

inline bool is_empty(const MuonTask& task) { return task.matrices == 0 || task.rows == 0 || task.columns == 0; }

inline void require_buffers(std::initializer_list<const void*> buffers, const char* names) {
    for (const void* buffer : buffers)
        if (!buffer || reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0)
            throw std::invalid_argument(std::string("muon: a buffer is missing or not aligned to 16 bytes (") + names +
                                        " are needed)");
}

inline void require_valid_before(const MuonTask& task) {
    require_valid(task);
    if (!is_empty(task))
        require_buffers({task.gradient, task.momentum, task.direction, task.partials},
                        "gradient, momentum, direction and partials");
}
inline void require_valid_after(const MuonTask& task) {
    require_valid(task);
    if (!is_empty(task)) require_buffers({task.orthogonal, task.master, task.weight}, "orthogonal, master and weight");
}

// Blocks that share the norm of a matrix, each with some turns to do.
STRATA_HD int parts_of(const MuonTask& task) {
    const long parts = ceil_div(task.rows * task.columns, 8L * kMuonThreads * kMuonGroup);
    return parts < kMuonParts ? int(parts) : kMuonParts;
}

inline Grid muon_accumulate_grid(const MuonTask& task) {
    return {.blocks = parts_of(task), .rows = int(task.matrices), .threads = kMuonThreads, .shared_bytes = 32 * 4};
}
inline Grid muon_tiles_grid(const MuonTask& task) {
    return {.blocks = int(ceil_div(task.rows, kMuonTile) * ceil_div(task.columns, kMuonTile)),
            .rows = int(task.matrices),
            .threads = kMuonThreads,
            .shared_bytes = kMuonTile * (kMuonTile + 1) * 4};
}

STRATA_HD float direction_of(const MuonTask& task, float momentum, float gradient) {
    return task.nesterov ? task.mu * momentum + gradient : momentum;
}

// momentum = mu momentum + gradient; a lerp of the two, as others write it, differs by a factor that the norm takes
// out.
template <class Thread>
STRATA_BODY void muon_accumulate(Thread& t, const MuonTask& task) {
    const long elements = task.rows * task.columns, first = t.row() * elements;
    float squares = 0;
    for (long at = (long(t.block()) * kMuonThreads + t.thread()) * kMuonGroup; at < elements;
         at += long(t.blocks()) * kMuonThreads * kMuonGroup) {
        const auto gradient = load_neighbours<kMuonGroup>(task.gradient, first + at);
        auto momentum = load_neighbours<kMuonGroup>(task.momentum, first + at);
        STRATA_UNROLL
        for (int i = 0; i < kMuonGroup; ++i) {
            momentum.at[i] = task.mu * momentum.at[i] + to_float(gradient.at[i]);
            const float direction = direction_of(task, momentum.at[i], to_float(gradient.at[i]));
            squares += direction * direction;
        }
        store_neighbours(task.momentum, first + at, momentum);
    }
    squares = block_sum(t, squares, reinterpret_cast<float*>(t.shared()));
    if (t.thread() == 0) task.partials[t.row() * kMuonParts + t.block()] = squares;
}

// A tile of a matrix, and of its transposed where Newton-Schulz works on that.
template <class Thread>
class MuonTile {
public:
    STRATA_BODY MuonTile(Thread& t, const MuonTask& task)
        : t_(t),
          rows_(task.rows),
          columns_(task.columns),
          first_(t.row() * task.rows * task.columns),
          row_(t.block() / ceil_div(task.columns, kMuonTile) * kMuonTile),
          column_(t.block() % ceil_div(task.columns, kMuonTile) * kMuonTile),
          floats_(reinterpret_cast<float*>(t.shared())) {}

    STRATA_BODY bool is_transposed() const { return rows_ > columns_; }
    // Group i of this thread: of the matrix, or of the transposed one.
    STRATA_BODY int row_of(int i) const { return (t_.thread() + i * kMuonThreads) / (kMuonTile / kMuonGroup); }
    STRATA_BODY int column_of(int i) const {
        return (t_.thread() + i * kMuonThreads) % (kMuonTile / kMuonGroup) * kMuonGroup;
    }
    STRATA_BODY bool has(int i) const { return row_ + row_of(i) < rows_ && column_ + column_of(i) < columns_; }
    STRATA_BODY long index(int i) const { return first_ + (row_ + row_of(i)) * columns_ + column_ + column_of(i); }
    STRATA_BODY bool has_transposed(int i) const {
        return column_ + row_of(i) < columns_ && row_ + column_of(i) < rows_;
    }
    STRATA_BODY long transposed_index(int i) const {
        return first_ + (column_ + row_of(i)) * rows_ + row_ + column_of(i);
    }
    // Element j of group i in shared memory.
    STRATA_BODY float& at(int i, int j) const { return floats_[row_of(i) * (kMuonTile + 1) + column_of(i) + j]; }
    STRATA_BODY float& transposed_at(int i, int j) const {
        return floats_[(column_of(i) + j) * (kMuonTile + 1) + row_of(i)];
    }

private:
    Thread& t_;
    const long rows_, columns_, first_, row_, column_;
    float* const floats_;  // [64][65]: neither rows nor columns meet in a bank
};

template <class Thread>
STRATA_BODY void muon_normalise(Thread& t, const MuonTask& task) {
    const MuonTile<Thread> tile(t, task);
    float squares = 0;
    for (int part = t.thread(); part < parts_of(task); part += kMuonThreads)
        squares += task.partials[t.row() * kMuonParts + part];
    squares = block_sum(t, squares, reinterpret_cast<float*>(t.shared()));
    const float factor = 1.0f / (std::sqrt(squares) + 1e-7f);
    STRATA_UNROLL
    for (int i = 0; i < kMuonTileGroups; ++i) {
        if (!tile.has(i)) continue;
        const auto gradient = load_neighbours<kMuonGroup>(task.gradient, tile.index(i));
        const auto momentum = load_neighbours<kMuonGroup>(task.momentum, tile.index(i));
        Neighbours<Bf16, kMuonGroup> out;
        STRATA_UNROLL
        for (int j = 0; j < kMuonGroup; ++j) {
            const float direction = direction_of(task, momentum.at[j], to_float(gradient.at[j])) * factor;
            out.at[j] = to_bf16(direction);
            if (tile.is_transposed()) tile.at(i, j) = direction;
        }
        if (!tile.is_transposed()) store_neighbours(task.direction, tile.index(i), out);
    }
    if (!tile.is_transposed()) return;
    t.sync();
    STRATA_UNROLL
    for (int i = 0; i < kMuonTileGroups; ++i) {
        if (!tile.has_transposed(i)) continue;
        Neighbours<Bf16, kMuonGroup> out;
        STRATA_UNROLL
        for (int j = 0; j < kMuonGroup; ++j) out.at[j] = to_bf16(tile.transposed_at(i, j));
        store_neighbours(task.direction, tile.transposed_index(i), out);
    }
}

// weight = weight (1 - rate decay) - rate scale orthogonal; `step` is rate times scale.
template <class Thread>
STRATA_BODY void muon_apply(Thread& t, const MuonTask& task, float step) {
    const MuonTile<Thread> tile(t, task);
    if (tile.is_transposed()) {
        STRATA_UNROLL
        for (int i = 0; i < kMuonTileGroups; ++i) {
            if (!tile.has_transposed(i)) continue;
            const auto in = load_neighbours<kMuonGroup>(task.orthogonal, tile.transposed_index(i));
            STRATA_UNROLL
            for (int j = 0; j < kMuonGroup; ++j) tile.transposed_at(i, j) = to_float(in.at[j]);
        }
        t.sync();
    }
    const float keep = 1 - task.rate * task.decay;
    STRATA_UNROLL
    for (int i = 0; i < kMuonTileGroups; ++i) {
        if (!tile.has(i)) continue;
        Neighbours<Bf16, kMuonGroup> in{}, out;
        if (!tile.is_transposed()) in = load_neighbours<kMuonGroup>(task.orthogonal, tile.index(i));
        auto master = load_neighbours<kMuonGroup>(task.master, tile.index(i));
        STRATA_UNROLL
        for (int j = 0; j < kMuonGroup; ++j) {
            const float orthogonal = tile.is_transposed() ? tile.at(i, j) : to_float(in.at[j]);
            master.at[j] = master.at[j] * keep - step * orthogonal;
            out.at[j] = to_bf16(master.at[j]);
        }
        store_neighbours(task.master, tile.index(i), master);
        store_neighbours(task.weight, tile.index(i), out);
    }
}

}  // namespace strata
