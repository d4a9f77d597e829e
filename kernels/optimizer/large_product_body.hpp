// Scaled products (scaled_product_body.hpp) of large matrices. A pair of blocks stays and makes square after square of
// 256 x 256: each block 128 rows of it, each of its two multiplying warpgroups 64. What both need, the columns, each
// loads half of for both, so that a square asks the L2 for 512 elements per step of the depth where two lone blocks
// would ask for 768. One warp loads by bulk tensor copies as far ahead as the stages reach; what is added to the
// product comes the same way, as two more stages.
//
// Where the result is symmetric, squares below the diagonal are left out: pieces of 64 x 64 above it are written a
// second time as their mirror images, and in those on it the upper half gives both.
#pragma once

#include "kernels/optimizer/scaled_product_body.hpp"
#include "kernels/simt/stage_ring.hpp"
#include "kernels/simt/tma.hpp"

namespace strata {

struct LargeProduct {
    static constexpr int kRows = 128, kColumns = 256, kCluster = 2, kStages = 4, kThreads = 384;
    static constexpr int kSquare = 256;                                           // of a cluster
    static constexpr int kLeftBytes = kRows * 128, kRightBytes = kColumns * 128;  // a stage: 64 of the depth
    static constexpr int kStageBytes = kLeftBytes + kRightBytes;
    static constexpr int kPieceBytes = 64 * 64 * 2;  // of the result, on its way out: two for each warpgroup
    static constexpr int kOutAt = kStages * kStageBytes, kBarriersAt = kOutAt + 4 * kPieceBytes;
    static constexpr int kSharedBytes = kBarriersAt + 2 * kStages * 8;
    static constexpr int kReaders = 8 * kCluster;  // warps
    static_assert(kSharedBytes <= 227 * 1024);
};

// From here on tiles of 128 x 256 occupy the card.
inline bool is_large(const ScaledProductTask& task) { return task.rows >= 1024 && task.columns >= 1024; }

struct LargeProductOperands {
    TensorMap left, right, added, out;
    int matrices, rows, columns, depth;
    float alpha, beta;
    bool adds;
};

inline LargeProductOperands operands_of(const ScaledProductTask& task, ProductForm form) {
    const auto map = [&](const Bf16* global, long fast, long slow, int box_fast, int box_slow) {
        return make_tensor_map({.global = global,
                                .element_bytes = 2,
                                .rank = 3,
                                .size = {fast, slow, task.matrices},
                                .stride_bytes = {fast * 2, fast * slow * 2},
                                .box = {box_fast, box_slow, 1}});
    };
    return {.left = map(task.left, task.depth, task.rows, 64, LargeProduct::kRows),
            .right = form == ProductForm::rows_by_columns ? map(task.right, task.columns, task.depth, 64, 64)
                                                          : map(task.right, task.depth, task.columns, 64,
                                                                LargeProduct::kColumns / LargeProduct::kCluster),
            .added = map(task.added ? task.added : task.out, task.columns, task.rows, 64, LargeProduct::kRows),
            .out = map(task.out, task.columns, task.rows, 64, 64),
            .matrices = int(task.matrices),
            .rows = int(task.rows),
            .columns = int(task.columns),
            .depth = int(task.depth),
            .alpha = task.alpha,
            .beta = task.beta,
            .adds = task.added != nullptr};
}

STRATA_HD long squares_of(long rows, long columns, bool symmetric) {
    const long down = ceil_div(rows, LargeProduct::kSquare), across = ceil_div(columns, LargeProduct::kSquare);
    return symmetric ? down * (down + 1) / 2 : down * across;
}

// On `multiprocessors`: 132 of an H100 or H200.
inline Grid large_grid_of(const ScaledProductTask& task, ProductForm form, int multiprocessors = 132) {
    const long squares = task.matrices * squares_of(task.rows, task.columns, form == ProductForm::symmetric);
    const long at_once = multiprocessors / LargeProduct::kCluster;
    return {.blocks = int(squares < at_once ? squares : at_once) * LargeProduct::kCluster,
            .threads = LargeProduct::kThreads,
            .cluster = LargeProduct::kCluster,
            .shared_bytes = std::size_t(LargeProduct::kSharedBytes)};
}

struct SquarePlace {
    int matrix, row, column;  // the first of the square
};

// Squares that are made at the same time form a patch about as high as wide: they share rows and columns in the L2.
STRATA_HD SquarePlace square_at(long index, int rows, int columns, bool symmetric) {
    constexpr int kStrip = 8, kSquare = LargeProduct::kSquare;
    const long each = squares_of(rows, columns, symmetric);
    const int matrix = int(index / each), at = int(index % each);
    if (symmetric) {
        const TilePlace place = upper_tile(at);
        return {matrix, place.row * kSquare, place.column * kSquare};
    }
    const int down = int(ceil_div(rows, kSquare)), across = int(ceil_div(columns, kSquare));
    const int strip = at / (down * kStrip), within = at % (down * kStrip);
    const int width = across - strip * kStrip < kStrip ? across - strip * kStrip : kStrip;
    return {matrix, within / width * kSquare, (strip * kStrip + within % width) * kSquare};
}

template <ProductForm form, class Thread>
class LargeProductBody {
    using Tile = LargeProduct;
    static constexpr bool kSymmetric = form == ProductForm::symmetric;
    static constexpr bool kByColumns = form == ProductForm::rows_by_columns;

public:
    STRATA_BODY LargeProductBody(Thread& t, const LargeProductOperands& task)
        : t_(t),
          task_(task),
          rank_(t.block() % Tile::kCluster),
          slices_((task.depth + kProductDepth - 1) / kProductDepth),
          ring_(t.shared() + Tile::kBarriersAt) {}

    STRATA_BODY void run() {
        if (t_.thread() == 0) ring_.open(t_, Tile::kReaders);
        t_.sync_cluster();  // nobody copies to another's shared memory before its barriers are there
        const int warpgroup = t_.thread() / kWarpgroup;
        if (warpgroup == 2) {
            t_.template give_back_registers<40>();
            if (t_.warp() == 8 && t_.elected()) load_all();
            t_.sync_warp();
        } else {
            t_.template take_registers<232>();
            multiply_all(warpgroup);
        }
        t_.sync_cluster();  // nor after they are gone
    }

private:
    template <class WithPlace>
    STRATA_BODY void for_each_place(WithPlace with_place) {
        const long all = task_.matrices * squares_of(task_.rows, task_.columns, kSymmetric);
        STRATA_ROLLED
        for (long index = t_.block() / Tile::kCluster; index < all; index += t_.blocks() / Tile::kCluster) {
            SquarePlace place = square_at(index, task_.rows, task_.columns, kSymmetric);
            place.row += rank_ * Tile::kRows;
            with_place(place);
        }
    }
    STRATA_BODY unsigned char* stage(const StageRing<Tile::kStages, Thread>& ring) const {
        return t_.shared() + ring.index() * Tile::kStageBytes;
    }

    STRATA_BODY void load_all() {
        prefetch_map(t_, task_.left), prefetch_map(t_, task_.right), prefetch_map(t_, task_.out);
        for_each_place([&](const SquarePlace& place) {
            STRATA_ROLLED
            for (int slice = 0; slice < slices_; ++slice, ring_.advance()) load_slice(place, slice);
            if (!task_.adds) return;
            for (int half = 0; half < 2; ++half, ring_.advance()) {
                ring_.wait_empty(t_);
                t_.arrive_expecting(ring_.full(), 2 * Tile::kLeftBytes);
                for (int part = 0; part < 2; ++part)
                    load_box(t_, stage(ring_) + part * Tile::kLeftBytes, task_.added, ring_.full(),
                             place.column + (2 * half + part) * 64, place.row, place.matrix);
            }
        });
    }
    STRATA_BODY void load_slice(const SquarePlace& place, int slice) {
        constexpr unsigned kBoth = (1u << Tile::kCluster) - 1;
        constexpr int kHalf = Tile::kRightBytes / 2;
        const int k = slice * kProductDepth;
        ring_.wait_empty(t_);
        t_.arrive_expecting(ring_.full(), Tile::kStageBytes);
        load_box(t_, stage(ring_), task_.left, ring_.full(), k, place.row, place.matrix);
        unsigned char* const right = stage(ring_) + Tile::kLeftBytes + rank_ * kHalf;
        const int column = place.column + rank_ * 128;
        if constexpr (kByColumns) {
            load_box_for(t_, kBoth, right, task_.right, ring_.full(), column, k, place.matrix);
            load_box_for(t_, kBoth, right + kHalf / 2, task_.right, ring_.full(), column + 64, k, place.matrix);
        } else {
            load_box_for(t_, kBoth, right, task_.right, ring_.full(), k, column, place.matrix);
        }
    }

    STRATA_BODY void multiply_all(int warpgroup) {
        BulkStores stores;
        WgmmaSum<Tile::kColumns> sum;
        for_each_place([&](const SquarePlace& place) {
            multiply(sum, warpgroup);
            STRATA_UNROLL
            for (int chunk = 0; chunk < 4; ++chunk) write(sum, place, warpgroup, chunk, stores);
        });
        if (t_.thread() % kWarpgroup == 0) stores.template wait_until_read<0>();
    }

    // While a slice is multiplied, the one before comes to its end, and its stage is left.
    STRATA_BODY void multiply(WgmmaSum<Tile::kColumns>& sum, int warpgroup) {
        WarpgroupProducts products;
        STRATA_UNROLL
        for (int i = 0; i < WgmmaSum<Tile::kColumns>::kRegisters; ++i) sum.at[i] = 0;
        products.begin(t_, sum);
        auto left = ring_;  // behind by one
        STRATA_ROLLED
        for (int slice = 0; slice < slices_; ++slice, ring_.advance()) {
            ring_.wait_full(t_);
            multiply_slice(products, sum, warpgroup);
            products.template wait_for_all_but<1>(t_);
            if (slice == 0) continue;
            leave(left);
            left.advance();
        }
        products.template wait_for_all_but<0>(t_, sum);
        if (slices_ > 0) leave(left);
    }
    STRATA_BODY void leave(const StageRing<Tile::kStages, Thread>& ring) {
        if (t_.lane() == 0) ring.leave(t_, Tile::kCluster);
    }
    STRATA_BODY void multiply_slice(WarpgroupProducts& products, WgmmaSum<Tile::kColumns>& sum, int warpgroup) {
        const std::uint64_t a = k_major_descriptor(t_.shared_address(stage(ring_) + warpgroup * 64 * 128));
        const std::uint32_t right = t_.shared_address(stage(ring_) + Tile::kLeftBytes);
        t_.sync_warp();  // waiting may have let the lanes go their ways
        products.begin(t_);
        STRATA_UNROLL
        for (int step = 0; step < kProductDepth / 16; ++step) {
            const std::uint64_t of_step = advanced(a, std::uint32_t(32 * step));
            if constexpr (kByColumns)
                products.template multiply<Bf16, Major::mn>(
                    t_, sum, of_step, advanced(mn_major_descriptor(right, 64 * 128), std::uint32_t(2048 * step)), true);
            else
                products.template multiply<Bf16>(t_, sum, of_step,
                                                 advanced(k_major_descriptor(right), std::uint32_t(32 * step)), true);
        }
        products.commit();
    }

    // 64 columns of the warpgroup's rows, through shared memory. What is added to them lies in a stage with the
    // next 64.
    STRATA_BODY void write(const WgmmaSum<Tile::kColumns>& sum, const SquarePlace& place, int warpgroup, int chunk,
                           BulkStores& stores) {
        constexpr int kKept = kSymmetric ? 0 : 1;  // pieces that may still be on their way: none where there are two
        const int row = place.row + warpgroup * 64, column = place.column + chunk * 64;
        const bool first = t_.thread() % kWarpgroup == 0;
        unsigned char* const piece =
            t_.shared() + Tile::kOutAt + (2 * warpgroup + (kSymmetric ? 0 : chunk % 2)) * Tile::kPieceBytes;
        if (task_.adds && chunk % 2 == 0) ring_.wait_full(t_);
        if (!kSymmetric || row <= column) {
            if (first) stores.template wait_until_read<kKept>();
            t_.sync_group(1 + warpgroup, kWarpgroup);
            lay_out(sum, warpgroup, chunk, row == column, piece);
            t_.show_to_async_copies();
            t_.sync_group(1 + warpgroup, kWarpgroup);
            if (first) {
                stores.store_box(t_, task_.out, piece, column, row, place.matrix);
                if (kSymmetric && row != column)
                    stores.store_box(t_, task_.out, piece + Tile::kPieceBytes, row, column, place.matrix);
                stores.close_group();
            }
        }
        if (!task_.adds || chunk % 2 == 0) return;
        t_.sync_warp();
        leave(ring_);
        ring_.advance();
    }
    // A thread has pairs of neighbours in two rows of its piece, eight apart; how they are swizzled depends on the lane
    // alone, and so it does in the mirror image.
    STRATA_BODY void lay_out(const WgmmaSum<Tile::kColumns>& sum, int warpgroup, int chunk, bool on_diagonal,
                             unsigned char* piece) {
        const int thread = t_.thread() % kWarpgroup, row = wgmma_row(thread, 0), column = wgmma_column(thread, 0);
        const unsigned char* const added = stage(ring_) + chunk % 2 * Tile::kLeftBytes + warpgroup * 64 * 128;
        STRATA_UNROLL
        for (int i = 0; i < 32; i += 2) {
            const int down = i % 4 / 2 * 8, across = i / 4 * 8;
            const int at = swizzled_offset(row, (column + across) * 2) + down * 128;
            float low = task_.alpha * sum.at[32 * chunk + i], high = task_.alpha * sum.at[32 * chunk + i + 1];
            if (task_.adds) {
                const std::uint32_t pair = *reinterpret_cast<const std::uint32_t*>(added + at);
                low += task_.beta * low_of(pair), high += task_.beta * high_of(pair);
            }
            const std::uint32_t pair = bf16_pair(low, high);
            if (!kSymmetric || !on_diagonal) *reinterpret_cast<std::uint32_t*>(piece + at) = pair;
            if constexpr (kSymmetric) {
                unsigned char* const mirror = (on_diagonal ? piece : piece + Tile::kPieceBytes) + across * 128;
                const bool is_upper[] = {row + down <= column + across, row + down <= column + across + 1};
                STRATA_UNROLL
                for (int odd = 0; odd < 2; ++odd) {
                    // Elements below the diagonal are left to their mirror images: symmetric to the last bit.
                    if (on_diagonal && !is_upper[odd]) continue;
                    const auto element = std::uint16_t(pair >> 16 * odd);
                    if (on_diagonal) *reinterpret_cast<std::uint16_t*>(piece + at + 2 * odd) = element;
                    *reinterpret_cast<std::uint16_t*>(mirror + swizzled_offset(column + odd, (row + down) * 2)) =
                        element;
                }
            }
        }
    }

    Thread& t_;
    const LargeProductOperands& task_;
    const int rank_;
    const int slices_;
    StageRing<Tile::kStages, Thread> ring_;
};

template <ProductForm form, class Thread>
STRATA_BODY void large_product(Thread& t, const LargeProductOperands& task) {
    LargeProductBody<form, Thread>(t, task).run();
}

}  // namespace strata
