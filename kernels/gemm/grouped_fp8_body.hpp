// The grouped product on Hopper. A block stays and computes tile after tile. One warp loads stages of 128 along K by
// bulk tensor copies, as far ahead as the stages reach; two warpgroups multiply. The tensor cores keep too few bits of
// a long FP8 sum (facts B10), so each 128 of K is a sum of its own, scaled and added in FP32; while one warpgroup adds,
// the other's product runs.
#pragma once

#include "kernels/gemm/grouped_fp8_schedule.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/tma.hpp"
#include "kernels/simt/wgmma.hpp"

namespace strata {

// The task as the kernel takes it.
struct GroupedFp8Operands {
    TensorMap a, a_scales, b, out;
    const float* b_scales;
    const std::int32_t* group_of_block;
    const std::int32_t* counts;
    long rows;
    int n, k, groups;
};

template <class Tile>
GroupedFp8Operands operands_of(const GroupedFp8Task& task, Tile) {
    const long groups = a_groups(task);
    return {.a = make_tensor_map({.global = task.a,
                                  .element_bytes = 1,
                                  .rank = 3,
                                  .size = {task.k, task.rows, groups},
                                  .stride_bytes = {task.k, task.rows * task.k},
                                  .box = {128, Tile::kRows / Tile::kCluster, 1}}),
            .a_scales = make_tensor_map(
                {.global = task.a_scales,
                 .element_bytes = 4,
                 .rank = 3,
                 .size = {task.rows, task.k / 128, groups},
                 .stride_bytes = {scale_rows(task.rows) * 4, scale_rows(task.rows) * 4 * (task.k / 128)},
                 .box = {Tile::kRows, 1, 1},
                 .swizzle = Swizzle::none}),
            .b = make_tensor_map({.global = task.b,
                                  .element_bytes = 1,
                                  .rank = 3,
                                  .size = {task.k, task.n, task.groups},
                                  .stride_bytes = {task.k, long(task.n) * task.k},
                                  .box = {128, Tile::kColumns, 1}}),
            .out = make_tensor_map({.global = task.out,
                                    .element_bytes = 2,
                                    .rank = 3,
                                    .size = {task.n, task.rows, groups},
                                    .stride_bytes = {2L * task.n, task.rows * 2 * task.n},
                                    .box = {64, 64, 1}}),
            .b_scales = task.b_scales,
            .group_of_block = task.group_of_block,
            .counts = task.counts,
            .rows = task.rows,
            .n = task.n,
            .k = task.k,
            .groups = task.groups};
}

// The stages of shared memory, used in turn: full once loaded, empty once every warp that multiplies has left it, those
// of the cluster's other blocks too, as this block loads for them.
template <class Tile, class Thread>
class GroupedFp8Stages {
public:
    using Barrier = typename Thread::Barrier;
    static constexpr int kMultiplyingWarps = 8;

    STRATA_BODY explicit GroupedFp8Stages(Thread& t)
        : shared_(t.shared()), full_(reinterpret_cast<Barrier*>(shared_ + Tile::kBarriersAt)) {}
    STRATA_BODY void open(Thread& t) {
        for (int stage = 0; stage < Tile::kStages; ++stage) {
            t.open_barrier(full_ + stage, 1);
            t.open_barrier(full_ + Tile::kStages + stage, kMultiplyingWarps * Tile::kCluster);
        }
        t.publish_barriers();
    }
    STRATA_BODY Barrier* full() { return full_ + stage_; }
    STRATA_BODY Barrier* empty() { return full_ + Tile::kStages + stage_; }
    STRATA_BODY void leave(Thread& t) {
        if constexpr (Tile::kCluster == 1) {
            t.arrive(empty());
        } else {
            STRATA_UNROLL
            for (int rank = 0; rank < Tile::kCluster; ++rank) t.arrive_at(rank, empty());
        }
    }
    STRATA_BODY unsigned char* a() { return shared_ + stage_ * Tile::kStageBytes; }
    STRATA_BODY unsigned char* b() { return a() + Tile::kRows * 128; }
    STRATA_BODY float* a_scales() {
        return reinterpret_cast<float*>(shared_ + Tile::kScalesAt + stage_ * Tile::kScaleBytes);
    }
    STRATA_BODY int parity() const { return parity_; }
    STRATA_BODY void advance() {
        if (++stage_ < Tile::kStages) return;
        stage_ = 0;
        parity_ ^= 1;
    }

private:
    unsigned char* shared_;
    Barrier* full_;
    int stage_ = 0, parity_ = 0;
};

template <class Tile, class Thread>
STRATA_BODY auto schedule_of(Thread& t, const GroupedFp8Operands& task) {
    return GroupedFp8Schedule<Tile>(task.group_of_block, task.counts, task.rows, task.n, task.groups, t.block(),
                                    t.blocks());
}

// One thread.
template <class Tile, class Thread>
STRATA_BODY void load_grouped_fp8(Thread& t, const GroupedFp8Operands& task) {
    prefetch_map(t, task.a), prefetch_map(t, task.b), prefetch_map(t, task.a_scales), prefetch_map(t, task.out);
    GroupedFp8Stages<Tile, Thread> stages(t);
    auto schedule = schedule_of<Tile>(t, task);
    constexpr int kPart = Tile::kRows / Tile::kCluster;
    const int rank = t.block() % Tile::kCluster;
    GroupedFp8Place place;
    while (schedule.next(place))
        for (int block = 0; block < task.k / 128; ++block, stages.advance()) {
            t.wait(stages.empty(), stages.parity() ^ 1);
            t.arrive_expecting(stages.full(), Tile::kStageBytes + Tile::kScaleBytes);
            if constexpr (Tile::kCluster == 1)
                load_box(t, stages.a(), task.a, stages.full(), block * 128, place.row, place.a_group);
            else
                load_box_for(t, (1u << Tile::kCluster) - 1, stages.a() + rank * kPart * 128, task.a, stages.full(),
                             block * 128, place.row + rank * kPart, place.a_group);
            load_box(t, stages.b(), task.b, stages.full(), block * 128, place.column, place.group);
            load_box(t, stages.a_scales(), task.a_scales, stages.full(), place.row, block, place.a_group);
        }
}

// Where a warpgroup's 64 x kWidth part lies in the tile.
template <class Tile>
struct GroupedFp8Part {
    STRATA_BODY explicit GroupedFp8Part(int warpgroup)
        : row(Tile::kRows == 128 ? 64 * warpgroup : 0), column(Tile::kRows == 128 ? 0 : Tile::kWidth * warpgroup) {}
    int row, column;
};

// The scales of b of 32 blocks along K, a lane each: one wait for memory instead of 32.
template <class Tile, class Thread>
STRATA_BODY float b_scale_of_lane(Thread& t, const GroupedFp8Operands& task, const GroupedFp8Place& place,
                                  const GroupedFp8Part<Tile>& part, int block) {
    const int last = (task.n - 1) / 128, column_block = (place.column + part.column) / 128;
    const long band = column_block < last ? column_block : last;  // beyond the last: columns that nobody stores
    const bool inside = block + t.lane() < task.k / 128;
    return inside ? task.b_scales[(place.group * long(last + 1) + band) * scale_blocks(task.k) + block + t.lane()] : 0;
}

// The sum over K of this warpgroup's part of a tile. `of_lane`: the first scales of b, asked for while the tile before
// was on its way out.
template <class Tile, class Thread>
STRATA_BODY void sum_grouped_fp8(Thread& t, const GroupedFp8Operands& task, const GroupedFp8Place& place,
                                 const GroupedFp8Part<Tile>& part, float of_lane,
                                 GroupedFp8Stages<Tile, Thread>& stages, WgmmaSum<Tile::kWidth>& sum) {
    const int blocks = task.k / 128, row = part.row + wgmma_row(t.thread() % kWarpgroup, 0);
    WarpgroupProducts products;
    WgmmaSum<Tile::kWidth> partial;
    STRATA_UNROLL
    for (int i = 0; i < Tile::kWidth / 2; ++i) sum.at[i] = 0;
    STRATA_ROLLED
    for (int block = 0; block < blocks; ++block, stages.advance()) {
        t.wait(stages.full(), stages.parity());
        const std::uint64_t a = k_major_descriptor(t.shared_address(stages.a() + part.row * 128));
        const std::uint64_t b = k_major_descriptor(t.shared_address(stages.b() + part.column * 128));
        t.sync_warp();  // a product takes a warp's lanes together, and waiting may have let them go their ways
        products.begin(t, partial);
        STRATA_UNROLL
        for (int step = 0; step < 4; ++step)
            products.template multiply<E4m3>(t, partial, advanced(a, unsigned(32 * step)),
                                             advanced(b, unsigned(32 * step)), step > 0);
        products.commit();
        if (block > 0 && block % 32 == 0) of_lane = b_scale_of_lane(t, task, place, part, block);
        const float b_scale = t.shuffle(of_lane, block % 32);
        const float upper = stages.a_scales()[row] * b_scale, lower = stages.a_scales()[row + 8] * b_scale;
        products.template wait_for_all_but<0>(t, partial);
        t.sync_warp();  // all lanes have read their scales before one lets the stage go
        if (t.lane() == 0) stages.leave(t);
        STRATA_UNROLL
        for (int i = 0; i < Tile::kWidth / 2; ++i) sum.at[i] += (i % 4 < 2 ? upper : lower) * partial.at[i];
    }
}

// Through shared memory, so that rows leave in whole lines.
template <class Tile, class Thread>
STRATA_BODY void store_grouped_fp8(Thread& t, const GroupedFp8Operands& task, const GroupedFp8Place& place,
                                   const GroupedFp8Part<Tile>& part, int warpgroup, BulkStores& stores,
                                   const WgmmaSum<Tile::kWidth>& sum) {
    unsigned char* out = t.shared() + Tile::kOutAt + warpgroup * Tile::kOutBytes;
    const int thread = t.thread() % kWarpgroup;
    if (thread == 0) stores.template wait_until_read<0>();  // the tile before
    t.sync_group(1 + warpgroup, kWarpgroup);
    STRATA_UNROLL
    for (int i = 0; i < Tile::kWidth / 2; i += 2) {
        const int row = wgmma_row(thread, i), column = wgmma_column(thread, i);
        *reinterpret_cast<std::uint32_t*>(out + column / 64 * 8192 + swizzled_offset(row, column % 64 * 2)) =
            bf16_pair(sum.at[i], sum.at[i + 1]);
    }
    t.show_to_async_copies();
    t.sync_group(1 + warpgroup, kWarpgroup);
    if (thread != 0) return;
    for (int half = 0; half < Tile::kWidth / 64; ++half)
        stores.store_box(t, task.out, out + half * 8192, place.column + part.column + half * 64, place.row + part.row,
                         place.a_group);
    stores.close_group();
}

template <class Tile, class Thread>
STRATA_BODY void multiply_grouped_fp8(Thread& t, const GroupedFp8Operands& task, int warpgroup) {
    const GroupedFp8Part<Tile> part(warpgroup);
    GroupedFp8Stages<Tile, Thread> stages(t);
    auto schedule = schedule_of<Tile>(t, task);
    BulkStores stores;
    WgmmaSum<Tile::kWidth> sum;
    GroupedFp8Place place{}, after{};
    bool more = schedule.next(place);
    float of_lane = more ? b_scale_of_lane(t, task, place, part, 0) : 0;
    while (more) {
        sum_grouped_fp8(t, task, place, part, of_lane, stages, sum);
        more = schedule.next(after);
        if (more) of_lane = b_scale_of_lane(t, task, after, part, 0);
        store_grouped_fp8(t, task, place, part, warpgroup, stores, sum);
        place = after;
    }
    if (t.thread() % kWarpgroup == 0) stores.template wait_until_read<0>();
}

// Blocks of a cluster begin and end together: one must not copy to another's shared memory, nor arrive at its barriers,
// before these are there and after they are gone.
template <class Tile, class Thread>
STRATA_BODY void sync_grouped_fp8(Thread& t) {
    if constexpr (Tile::kCluster > 1)
        t.sync_cluster();
    else
        t.sync();
}

template <class Tile, class Thread>
STRATA_BODY void grouped_fp8(Thread& t, const GroupedFp8Operands& task) {
    if (t.thread() == 0) GroupedFp8Stages<Tile, Thread>(t).open(t);
    sync_grouped_fp8<Tile>(t);
    const int warpgroup = t.thread() / kWarpgroup;
    if (warpgroup == 2) {
        t.template give_back_registers<40>();
        if (t.warp() == 8 && t.elected()) load_grouped_fp8<Tile>(t, task);
        t.sync_warp();
    } else {
        t.template take_registers<232>();
        multiply_grouped_fp8<Tile>(t, task, warpgroup);
    }
    sync_grouped_fp8<Tile>(t);
}

}  // namespace strata
