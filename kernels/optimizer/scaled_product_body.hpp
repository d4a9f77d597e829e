// Products of BF16 matrices on the tensor cores with another matrix added: out = alpha left right^T + beta added, as
// the steps of Newton-Schulz want them. Where the result is symmetric, tiles below the diagonal are not computed: a
// tile above it is written twice, the second time as its mirror image, through shared memory so that both go to memory
// in rows; the two halves are the same bits.
//
// A block makes a square tile of 128 x 128, each warpgroup 64 rows of it; two blocks fit on a multiprocessor, where one
// writes its tile while the other multiplies. Large matrices have a kernel of their own: large_product_body.hpp.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/wgmma.hpp"

namespace strata {

struct ScaledProductTask {
    const Bf16* left = nullptr;   // [matrices][rows][depth]
    const Bf16* right = nullptr;  // [matrices][columns][depth]; or [matrices][depth][columns], and out = left right
    const Bf16* added = nullptr;  // [matrices][rows][columns]; may be absent
    Bf16* out = nullptr;          // [matrices][rows][columns], none of the above
    long matrices = 0;
    long rows = 0;  // these three are multiples of 8
    long columns = 0;
    long depth = 0;
    float alpha = 1, beta = 0;
};

enum class ProductForm {
    rows_by_rows,     // right is [columns][depth]
    rows_by_columns,  // right is [depth][columns]
    symmetric,        // right is left, and what is added is symmetric too
};

inline void require_valid(const ScaledProductTask& task, ProductForm form) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("scaled product: " + what); };
    if (task.matrices < 0 || task.matrices > 65535)
        refuse(std::to_string(task.matrices) + " matrices; expected at most 65535");
    for (const long size : {task.rows, task.columns, task.depth})
        if (size < 0 || size % 8 != 0 || size > (1L << 20))
            refuse(std::to_string(task.rows) + " x " + std::to_string(task.columns) + " x " +
                   std::to_string(task.depth) + "; expected multiples of 8, at most 2^20");
    if (form == ProductForm::symmetric && (task.left != task.right || task.rows != task.columns))
        refuse("a symmetric product is of a matrix with itself");
    if (task.matrices == 0 || task.rows == 0 || task.columns == 0) return;
    if (!task.left || !task.right || !task.out) refuse("a buffer is missing (left, right and out are needed)");
    if (task.out == task.left || task.out == task.right || task.out == task.added)
        refuse("the result may not take the place of an operand");
    for (const void* buffer : {static_cast<const void*>(task.left), static_cast<const void*>(task.right),
                               static_cast<const void*>(task.added), static_cast<const void*>(task.out)})
        if (reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0) refuse("matrices must be aligned to 16 bytes");
}

inline constexpr int kProductDepth = 64;  // of a stage: 128 bytes of BF16

struct ProductPlan {
    static constexpr int kTile = 128;
    static constexpr int kThreads = 256;
    static constexpr int kBlocks = 2;  // on a multiprocessor
    static constexpr int kStages = 3;
    static constexpr int kOperandBytes = kTile * kProductDepth * 2;
    static constexpr int kSharedBytes = kStages * 2 * kOperandBytes;
    static constexpr int kRow = kTile + 8;     // of a tile that is laid out to be written: no bank twice
    static constexpr int kChunks = kTile / 8;  // of sixteen bytes, in a row of a tile
    static_assert(2 * kTile * kRow * 2 <= kSharedBytes && kBlocks * kSharedBytes <= 227 * 1024);
};

inline Grid grid_of(const ScaledProductTask& task, ProductForm form) {
    const long down = ceil_div(task.rows, ProductPlan::kTile), across = ceil_div(task.columns, ProductPlan::kTile);
    return {.blocks = int(form == ProductForm::symmetric ? down * (down + 1) / 2 : down * across),
            .rows = int(task.matrices),
            .threads = ProductPlan::kThreads,
            .shared_bytes = std::size_t(ProductPlan::kSharedBytes)};
}

struct TilePlace {
    int row, column;  // in tiles
};

// Of the upper triangle, column by column: tiles j (j + 1) / 2 and on are those of column j.
STRATA_HD TilePlace upper_tile(int tile) {
    int column = int((sqrtf(8.0f * float(tile) + 1) - 1) / 2);
    while (column * (column + 1) / 2 > tile) --column;
    while ((column + 1) * (column + 2) / 2 <= tile) ++column;
    return {tile - column * (column + 1) / 2, column};
}

template <ProductForm form, class Thread>
class ScaledProduct {
    static constexpr int kSixtyFourRows = 64 * 128;          // bytes of them
    static constexpr int kAhead = ProductPlan::kStages - 2;  // slices under way
    static constexpr bool kSymmetric = form == ProductForm::symmetric;
    static constexpr bool kByColumns = form == ProductForm::rows_by_columns;

public:
    STRATA_BODY ScaledProduct(Thread& t, const ScaledProductTask& task)
        : t_(t),
          task_(task),
          place_(place_of(t, task)),
          left_(task.left + t.row() * task.rows * task.depth),
          right_(task.right + t.row() * task.columns * task.depth),
          slices_(int(ceil_div(task.depth, kProductDepth))),
          tile_(reinterpret_cast<Bf16*>(t.shared())),
          mirror_(tile_ + ProductPlan::kTile * ProductPlan::kRow) {}

    // While a slice is multiplied, the warpgroup's products of the slice before come to their end. That one's
    // predecessor is then out of use for all warpgroups, and its place is filled anew.
    STRATA_BODY void run() {
        WgmmaSum<ProductPlan::kTile> sum;
        STRATA_UNROLL
        for (int i = 0; i < WgmmaSum<ProductPlan::kTile>::kRegisters; ++i) sum.at[i] = 0;
        products_.begin(t_, sum);
        for (int slice = 0; slice < kAhead; ++slice) load(slice);
        for (int slice = 0; slice < slices_; ++slice) {
            copies_.template wait_for_all_but<kAhead - 1>();
            t_.show_to_async_copies();
            t_.sync();  // the slice is there, and the one before the last has been read
            multiply(sum, slice);
            products_.template wait_for_all_but<1>(t_);
            load(slice + kAhead);
        }
        products_.template wait_for_all_but<0>(t_, sum);
        copies_.template wait_for_all_but<0>();
        t_.sync();  // from here on its place holds the result
        if (task_.added) load_added();
        lay_out(sum);
        t_.sync();
        store(tile_, place_);
        if (kSymmetric && !on_diagonal()) store(mirror_, {place_.column, place_.row});
    }

private:
    STRATA_BODY static TilePlace place_of(Thread& t, const ScaledProductTask& task) {
        if constexpr (kSymmetric) return upper_tile(t.block());
        const int down = int(ceil_div(task.rows, ProductPlan::kTile));
        return {t.block() % down, t.block() / down};
    }
    STRATA_BODY bool on_diagonal() const { return kSymmetric && place_.row == place_.column; }

    // Sixteen bytes of an operand, or zeros where the matrix has none.
    STRATA_BODY void load_chunk(unsigned char* to, const Bf16* from, bool is_there) {
        if (is_there)
            copies_.copy16(to, from);
        else
            *reinterpret_cast<PackedBf16*>(to) = PackedBf16{};
    }

    // Rows of 64 along the depth; `first` is the tile's first row. A thread's chunks are a multiple of 8 rows apart,
    // which leaves the swizzle as it is.
    STRATA_BODY void load_rows(unsigned char* to, const Bf16* from, long rows, long first, int slice) {
        constexpr int kApart = ProductPlan::kThreads / 8;
        const int row = t_.thread() / 8, part = t_.thread() % 8 * 8;
        const int k = slice * kProductDepth + part, left = k < task_.depth ? int(rows - first) - row : 0;
        to += swizzled_offset(row, part * 2);
        from += (first + row) * task_.depth + k;
        STRATA_UNROLL
        for (int i = 0; i < ProductPlan::kTile / kApart; ++i) {
            load_chunk(to + i * kApart * 128, from, i * kApart < left);
            from += kApart * task_.depth;
        }
    }
    // 64 of the depth by the tile's columns, as tiles of 64 columns; a thread's chunks are 16 of the depth apart.
    STRATA_BODY void load_columns(unsigned char* to, int slice) {
        constexpr int kApart = ProductPlan::kThreads / ProductPlan::kChunks;
        const int row = t_.thread() / ProductPlan::kChunks, part = t_.thread() % ProductPlan::kChunks * 8;
        const long column = place_.column * long(ProductPlan::kTile) + part;
        const int left = column < task_.columns ? int(task_.depth) - slice * kProductDepth - row : 0;
        to += part / 64 * kSixtyFourRows + swizzled_offset(row, part % 64 * 2);
        const Bf16* from = right_ + (slice * long(kProductDepth) + row) * task_.columns + column;
        STRATA_UNROLL
        for (int i = 0; i < kProductDepth / kApart; ++i) {
            load_chunk(to + i * kApart * 128, from, i * kApart < left);
            from += kApart * task_.columns;
        }
    }
    // A group of copies for each slice, empty after the last.
    STRATA_BODY void load(int slice) {
        if (slice < slices_) {
            unsigned char* stage = stage_of(slice);
            load_rows(stage, left_, task_.rows, place_.row * long(ProductPlan::kTile), slice);
            if constexpr (kByColumns)
                load_columns(stage + ProductPlan::kOperandBytes, slice);
            else if (!on_diagonal())
                load_rows(stage + ProductPlan::kOperandBytes, right_, task_.columns,
                          place_.column * long(ProductPlan::kTile), slice);
        }
        copies_.close_group();
    }
    STRATA_BODY unsigned char* stage_of(int slice) const {
        return t_.shared() + slice % ProductPlan::kStages * (2 * ProductPlan::kOperandBytes);
    }

    STRATA_BODY void multiply(WgmmaSum<ProductPlan::kTile>& sum, int slice) {
        unsigned char* left = stage_of(slice);
        unsigned char* right = on_diagonal() ? left : left + ProductPlan::kOperandBytes;
        const int own = t_.warp() / 4 * kSixtyFourRows;
        const std::uint64_t a = k_major_descriptor(t_.shared_address(left + own));
        t_.sync_warp();  // lanes that wrote zeros are back
        products_.begin(t_);
        if constexpr (kByColumns) {
            const std::uint64_t b = mn_major_descriptor(t_.shared_address(right), kSixtyFourRows);
            STRATA_UNROLL
            for (int step = 0; step < kProductDepth / 16; ++step)
                products_.template multiply<Bf16, Major::mn>(t_, sum, advanced(a, std::uint32_t(32 * step)),
                                                             advanced(b, std::uint32_t(2048 * step)), true);
        } else {
            const std::uint64_t b = k_major_descriptor(t_.shared_address(right));
            STRATA_UNROLL
            for (int step = 0; step < kProductDepth / 16; ++step)
                products_.template multiply<Bf16>(t_, sum, advanced(a, std::uint32_t(32 * step)),
                                                  advanced(b, std::uint32_t(32 * step)), true);
        }
        products_.commit();
    }

    STRATA_BODY bool is_there(const TilePlace& place, int row, int column) const {
        return place.row * long(ProductPlan::kTile) + row < task_.rows &&
               place.column * long(ProductPlan::kTile) + column < task_.columns;
    }
    STRATA_BODY long index_of(const TilePlace& place, int row, int column) const {
        return (t_.row() * task_.rows + place.row * long(ProductPlan::kTile) + row) * task_.columns +
               place.column * long(ProductPlan::kTile) + column;
    }

    STRATA_BODY void load_added() {
        for (int chunk = t_.thread(); chunk < ProductPlan::kTile * ProductPlan::kChunks;
             chunk += ProductPlan::kThreads) {
            const int row = chunk / ProductPlan::kChunks, column = chunk % ProductPlan::kChunks * 8;
            if (is_there(place_, row, column))
                store_packed(tile_, row * ProductPlan::kRow + column,
                             load_packed(task_.added, index_of(place_, row, column)));
        }
        t_.sync();
    }

    // Elements below the diagonal are left to their mirror images, so that the result is symmetric to the last bit.
    STRATA_BODY void lay_out(const WgmmaSum<ProductPlan::kTile>& sum) {
        Bf16* mirror = on_diagonal() ? tile_ : mirror_;
        const int thread = t_.thread() % kWarpgroup, first_row = t_.warp() / 4 * 64;
        STRATA_UNROLL
        for (int i = 0; i < WgmmaSum<ProductPlan::kTile>::kRegisters; ++i) {
            const int row = first_row + wgmma_row(thread, i), column = wgmma_column(thread, i);
            if (on_diagonal() && row > column) continue;
            float value = task_.alpha * sum.at[i];
            if (task_.added) value += task_.beta * to_float(tile_[row * ProductPlan::kRow + column]);
            const Bf16 rounded = to_bf16(value);
            tile_[row * ProductPlan::kRow + column] = rounded;
            if constexpr (kSymmetric) mirror[column * ProductPlan::kRow + row] = rounded;
        }
    }

    STRATA_BODY void store(const Bf16* from, const TilePlace& place) {
        for (int chunk = t_.thread(); chunk < ProductPlan::kTile * ProductPlan::kChunks;
             chunk += ProductPlan::kThreads) {
            const int row = chunk / ProductPlan::kChunks, column = chunk % ProductPlan::kChunks * 8;
            if (is_there(place, row, column))
                store_packed(task_.out, index_of(place, row, column),
                             load_packed(from, row * ProductPlan::kRow + column));
        }
    }

    Thread& t_;
    const ScaledProductTask& task_;
    const TilePlace place_;
    const Bf16* const left_;  // of this matrix
    const Bf16* const right_;
    const int slices_;
    Bf16* const tile_;    // [kTile][kRow], when the stages are done with
    Bf16* const mirror_;  // [kTile][kRow]
    AsyncCopies copies_;
    WarpgroupProducts products_;
};

template <ProductForm form, class Thread>
STRATA_BODY void scaled_product(Thread& t, const ScaledProductTask& task) {
    ScaledProduct<form, Thread>(t, task).run();
}

}  // namespace strata
