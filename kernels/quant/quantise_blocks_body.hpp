// Quantisation of weights in square blocks of 128x128 (DeepSeek-V3, V4) or 32x32 (V4.1's dense weights), thread by
// thread. A thread has 64 elements in eight packs: all of them are in flight before the first is used, and each is read
// once. A thread block takes 128x128 of them, or each of its warps two blocks of 32x32 beside each other, which needs
// no barrier. The last rows may be fewer.
#pragma once

#include "kernels/quant/tile_lanes.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

struct QuantiseBlocksTask {
    const Bf16* in = nullptr;  // [rows][width]
    E4m3* out = nullptr;       // [rows][width]
    float* fp32 = nullptr;     // scales [ceil(rows / side)][stride]: one of the two
    Ue8m0* ue8m0 = nullptr;
    long rows = 0;
    long width = 0;             // a multiple of 128
    long stride = 0;            // of a row of scales; 0: width / side
    bool power_of_two = false;  // FP32 scales only
    int side = 128;             // or 32
};

inline long scale_stride(const QuantiseBlocksTask& task) { return task.stride ? task.stride : task.width / task.side; }
inline long scales_of(const QuantiseBlocksTask& task) { return ceil_div(task.rows, task.side) * scale_stride(task); }

inline void require_valid(const QuantiseBlocksTask& task) {
    if (task.side != 128 && task.side != 32)
        throw std::invalid_argument("quantise_blocks: blocks of " + std::to_string(task.side) +
                                    "; expected 128 or 32 elements a side");
    if (task.rows < 0 || task.width <= 0 || task.width % 128 != 0)
        throw std::invalid_argument("quantise_blocks: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(task.width) +
                                    " elements; the width must be a positive multiple of 128");
    if (scale_stride(task) < task.width / task.side)
        throw std::invalid_argument("quantise_blocks: a row of " + std::to_string(task.width / task.side) +
                                    " scales does not fit a stride of " + std::to_string(task.stride));
    if (task.rows == 0) return;
    require_valid(TileScales{.fp32 = task.fp32, .ue8m0 = task.ue8m0}, "quantise_blocks");
    if (!task.in || !task.out)
        throw std::invalid_argument("quantise_blocks: a buffer is missing (in and out are needed)");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 8 != 0)
        throw std::invalid_argument("quantise_blocks: `in` must be aligned to 16 bytes and `out` to 8");
}

inline constexpr int kQuantiseBlocksThreads = 256;
inline constexpr int kQuantiseBlocks32Threads = 128;  // warps that do not need each other: few of them end sooner
inline constexpr int kBlockPacks = 8;                 // of a thread

inline Grid grid_of(const QuantiseBlocksTask& task) {
    constexpr int kWarps = kQuantiseBlocksThreads / 32;
    if (task.side == 32)
        return {.blocks = int(ceil_div(ceil_div(task.rows, 32) * (task.width / 64), kQuantiseBlocks32Threads / 32)),
                .threads = kQuantiseBlocks32Threads};
    return {.blocks = int(ceil_div(task.rows, 128) * (task.width / 128)),
            .threads = kQuantiseBlocksThreads,
            .shared_bytes = kWarps * sizeof(float)};
}

// A thread's packs: those of one column in the rows top, top + step, ...
struct BlockPacks {
    PackedBf16 at[kBlockPacks];
    long first;    // element
    long to_next;  // elements
    int rows;      // that there are: a pack at or behind is absent and zero
    int step;
};

STRATA_BODY BlockPacks load_block_packs(const QuantiseBlocksTask& task, long top, long left, int step) {
    const long rows = task.rows - top;
    BlockPacks packs{.at = {},
                     .first = top * task.width + left,
                     .to_next = step * task.width,
                     .rows = int(rows < 128 ? rows : 128),
                     .step = step};
    const Bf16* from = task.in + packs.first;
    STRATA_UNROLL
    for (int i = 0; i < kBlockPacks; ++i)
        packs.at[i] = i * step < packs.rows ? load_packed(from, i * packs.to_next) : PackedBf16{};
    return packs;
}

// The largest of the thread's 64 magnitudes.
STRATA_BODY float largest_magnitude(const BlockPacks& packs) {
    std::uint32_t most = 0;
    STRATA_UNROLL
    for (const PackedBf16& pack : packs.at) most = larger_halves(most, largest_magnitudes(pack));
    return low_of(larger_halves(most, most >> 16));
}

STRATA_BODY void store_block_codes(const QuantiseBlocksTask& task, const BlockPacks& packs, float factor) {
    E4m3* to = task.out + packs.first;
    STRATA_UNROLL
    for (int i = 0; i < kBlockPacks; ++i) {
        const Codes codes = codes_of([&](int x) { return number_at(packs.at[i], x) * factor; });
        if (i * packs.step < packs.rows) *reinterpret_cast<Codes*>(to + i * packs.to_next) = codes;
    }
}

// Of block (band, across).
STRATA_BODY void store_block_scale(const QuantiseBlocksTask& task, long band, long across, float scale) {
    const long at = band * (task.stride ? task.stride : task.width / task.side) + across;
    if (task.fp32)
        task.fp32[at] = scale;
    else
        task.ue8m0[at] = to_ue8m0(scale);
}

// Thread p has column p % 16 * 8 of the rows p / 16 + 16 i.
template <class Thread>
STRATA_BODY void quantise_blocks_128(Thread& t, const QuantiseBlocksTask& task) {
    const long columns = task.width / 128, band = t.block() / columns, across = t.block() % columns;
    const BlockPacks packs =
        load_block_packs(task, band * 128 + t.thread() / 16, across * 128 + t.thread() % 16 * 8, 16);
    float* of_warp = reinterpret_cast<float*>(t.shared());
    // Bits of magnitudes are in their order.
    const unsigned mine = t.largest(bits_as<unsigned>(largest_magnitude(packs)));
    if (t.lane() == 0) of_warp[t.warp()] = bits_as<float>(mine);
    t.sync();
    float amax = 0;
    STRATA_UNROLL
    for (int warp = 0; warp < kQuantiseBlocksThreads / 32; ++warp) amax = larger_magnitude(amax, of_warp[warp]);
    const TileScale scale = tile_scale(amax, task.ue8m0 || task.power_of_two);
    if (t.thread() == 0) store_block_scale(task, band, across, scale.scale);
    store_block_codes(task, packs, scale.factor);
}

// Eight lanes have a row of two blocks, four of them of each: lane l column l % 8 * 8 of the rows l / 8 + 4 i.
template <class Thread>
STRATA_BODY void quantise_blocks_32(Thread& t, const QuantiseBlocksTask& task) {
    const long pairs = task.width / 64, pair = long(t.block()) * (kQuantiseBlocks32Threads / 32) + t.warp();
    const long band = pair / pairs, left = pair % pairs * 64 + t.lane() % 8 * 8;
    const BlockPacks packs = load_block_packs(task, band * 32 + t.lane() / 8, left, 4);
    float amax = largest_magnitude(packs);
    STRATA_UNROLL
    for (const int step : {1, 2, 8, 16}) amax = larger_magnitude(amax, t.shuffle_xor(amax, step));
    const TileScale scale = tile_scale(amax, task.ue8m0 || task.power_of_two);
    if (t.lane() % 4 == 0 && t.lane() < 8 && band * 32 < task.rows)
        store_block_scale(task, band, left / 32, scale.scale);
    store_block_codes(task, packs, scale.factor);
}

template <int side, class Thread>
STRATA_BODY void quantise_blocks(Thread& t, const QuantiseBlocksTask& task) {
    if constexpr (side == 128)
        quantise_blocks_128(t, task);
    else
        quantise_blocks_32(t, task);
}

}  // namespace strata
