// Quantisation in tiles of 1x128, thread by thread. Sixteen lanes hold a tile, eight elements each, so that a tile is
// read once, its largest magnitude is found by four shuffles, and a warp reads 512 bytes in a row. Four tiles a thread
// are in flight at once, which is what it takes to keep HBM busy.
#pragma once

#include "kernels/quant/scales.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct QuantiseTilesTask {
    const Bf16* in = nullptr;  // [rows][width]
    E4m3* out = nullptr;       // [rows][width]
    TileScales scales{};
    long rows = 0;
    long width = 0;  // a multiple of 128
};

inline long scales_of(const QuantiseTilesTask& task) { return scale_count(task.scales, task.rows, task.width / 128); }

// Throws std::invalid_argument with what is wrong and what is expected.
inline void require_valid(const QuantiseTilesTask& task) {
    if (task.rows < 0 || task.width <= 0 || task.width % 128 != 0)
        throw std::invalid_argument("quantise: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(task.width) +
                                    " elements; the width must be a positive multiple of 128");
    if (task.rows == 0) return;
    require_valid(task.scales, "quantise");
    if (!task.in || !task.out) throw std::invalid_argument("quantise: a buffer is missing (in and out are needed)");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 8 != 0)
        throw std::invalid_argument("quantise: `in` must be aligned to 16 bytes and `out` to 8");
}

inline constexpr int kQuantiseThreads = 256;
inline constexpr int kTilesInFlight = 4;  // a thread

inline Grid grid_of(const QuantiseTilesTask& task) {
    const long tiles = task.rows * (task.width / 128);
    return {.blocks = int(ceil_div(tiles, kQuantiseThreads / 16 * kTilesInFlight)), .threads = kQuantiseThreads};
}

template <class Thread>
STRATA_BODY void quantise_tiles(Thread& t, const QuantiseTilesTask& task) {
    const long across = task.width / 128, tiles = task.rows * across;
    const long first = long(t.block()) * (kQuantiseThreads / 16 * kTilesInFlight) + t.thread() / 16;
    const int part = t.thread() % 16 * 8;
    PackedBf16 in[kTilesInFlight];
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i) {
        const long tile = first + i * (kQuantiseThreads / 16);
        in[i] = tile < tiles ? load_packed(task.in, tile * 128 + part) : PackedBf16{};
    }
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i) {
        const long tile = first + i * (kQuantiseThreads / 16);
        float amax = 0;
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) amax = amax_of(amax, number_at(in[i], x));
        const TileScale scale = tile_scale(warp_max<16>(t, amax), is_power_of_two(task.scales));
        if (tile >= tiles) continue;
        const Codes codes = codes_of([&](int x) { return number_at(in[i], x) * scale.factor; });
        *reinterpret_cast<Codes*>(task.out + tile * 128 + part) = codes;
        if (part == 0) store_scale(task.scales, tile / across, tile % across, task.rows, across, scale.scale);
    }
}

}  // namespace strata
