// Quantisation of weights in square blocks of 128x128 (DeepSeek-V3, V4) or 32x32 (V4.1's dense weights), thread by
// thread. A thread block takes 128x128 elements, 64 a thread in eight packs, so that all of them are in flight before
// the first is used and each is read once; the last rows may be fewer.
#pragma once

#include "kernels/quant/scales.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/warp.hpp"

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

inline Grid grid_of(const QuantiseBlocksTask& task) {
    return {.blocks = int(ceil_div(task.rows, 128) * (task.width / 128)),
            .threads = kQuantiseBlocksThreads,
            .shared_bytes = kQuantiseBlocksThreads / 32 * 16 * sizeof(float)};
}

// Thread p holds eight elements of column p % 16 * 8 in each of the rows p / 16 + 16 i, i < 8.
template <int side, class Thread>
STRATA_BODY void quantise_blocks(Thread& t, const QuantiseBlocksTask& task) {
    constexpr int kAcross = 128 / side;  // blocks beside and below each other in 128x128
    constexpr int kPacks = 8 / kAcross;  // of a thread in one block
    const long columns = task.width / 128, top = t.block() / columns * 128, left = t.block() % columns * 128;
    const int part = t.thread() % 16 * 8, lower = t.thread() / 16;
    PackedBf16 in[8];
    STRATA_UNROLL
    for (int i = 0; i < 8; ++i) {
        const long row = top + lower + 16 * i;
        in[i] = row < task.rows ? load_packed(task.in, row * task.width + left + part) : PackedBf16{};
    }
    float* scratch = reinterpret_cast<float*>(t.shared());  // [warp][kAcross down][kAcross across]
    const int across = part / side;
    STRATA_UNROLL
    for (int down = 0; down < kAcross; ++down) {
        float amax = 0;
        STRATA_UNROLL
        for (int i = 0; i < kPacks; ++i) STRATA_UNROLL
        for (int x = 0; x < 8; ++x) amax = amax_of(amax, number_at(in[down * kPacks + i], x));
        STRATA_UNROLL
        for (int step = 16; step > 0; step /= 2)  // lanes of the same columns: the two rows, and those beside
            if (step == 16 || step < side / 8) amax = max_of(amax, t.shuffle_xor(amax, step));
        if (t.lane() < 16 && part % side == 0) scratch[(t.warp() * kAcross + down) * kAcross + across] = amax;
    }
    t.sync();
    STRATA_UNROLL
    for (int down = 0; down < kAcross; ++down) {
        float amax = 0;
        for (int warp = 0; warp < kQuantiseBlocksThreads / 32; ++warp)
            amax = max_of(amax, scratch[(warp * kAcross + down) * kAcross + across]);
        const TileScale scale = tile_scale(amax, task.ue8m0 || task.power_of_two);
        if (lower == 0 && part % side == 0 && top + down * side < task.rows) {
            const long stride = task.stride ? task.stride : task.width / side;
            const long at = (top / side + down) * stride + left / side + across;
            if (task.fp32)
                task.fp32[at] = scale.scale;
            else
                task.ue8m0[at] = to_ue8m0(scale.scale);
        }
        STRATA_UNROLL
        for (int i = down * kPacks; i < (down + 1) * kPacks; ++i) {
            const long row = top + lower + 16 * i;
            if (row >= task.rows) continue;
            const Codes codes = codes_of([&](int x) { return number_at(in[i], x) * scale.factor; });
            *reinterpret_cast<Codes*>(task.out + row * task.width + left + part) = codes;
        }
    }
}

}  // namespace strata
