// Quantisation in tiles of 1x128, thread by thread: eight lanes hold a tile (tile_lanes.hpp), and four tiles a thread
// are in flight at once, which is what it takes to keep HBM busy. A tile is read once.
#pragma once

#include "kernels/quant/tile_lanes.hpp"
#include "kernels/simt/grid.hpp"

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

inline constexpr int kQuantiseThreads = 128;
inline constexpr int kTilesInFlight = 4;  // a thread
inline constexpr int kQuantiseWarpTiles = kTilesAbreast * kTilesInFlight;

inline Grid grid_of(const QuantiseTilesTask& task) {
    const long tiles = task.rows * (task.width / 128);
    return {.blocks = int(ceil_div(tiles, kQuantiseThreads / 32 * kQuantiseWarpTiles)), .threads = kQuantiseThreads};
}

template <class Thread>
STRATA_BODY void quantise_tiles(Thread& t, const QuantiseTilesTask& task) {
    const long across = task.width / 128, tiles = task.rows * across;
    const long warp_first = (long(t.block()) * (kQuantiseThreads / 32) + t.warp()) * kQuantiseWarpTiles;
    const long first = warp_first + t.lane() / kTileLanes;
    const int left = int(tiles - first < kQuantiseWarpTiles ? tiles - first : kQuantiseWarpTiles);  // of the warp's
    PackedBf16 in[kTilesInFlight][kTilePacks];
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i) STRATA_UNROLL
    for (int pack = 0; pack < kTilePacks; ++pack)
        in[i][pack] = i * kTilesAbreast < left
                          ? load_packed(task.in, (first + i * kTilesAbreast) * 128 + pack_in_tile(t, pack))
                          : PackedBf16{};
    std::uint32_t most[kTilesInFlight];
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i)
        most[i] = larger_halves(largest_magnitudes(in[i][0]), largest_magnitudes(in[i][1]));
    const float amax = largest_of_four(t, largest_of_two(most[0], most[1]), largest_of_two(most[2], most[3]));
    const TileScale mine = tile_scale(amax, is_power_of_two(task.scales));
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i) {
        const float factor = t.shuffle(mine.factor, t.lane() / kTileLanes * kTileLanes + i * 2);
        STRATA_UNROLL
        for (int pack = 0; pack < kTilePacks; ++pack) {
            const Codes codes = codes_of([&](int x) { return number_at(in[i][pack], x) * factor; });
            if (i * kTilesAbreast < left)
                *reinterpret_cast<Codes*>(task.out + (first + i * kTilesAbreast) * 128 + pack_in_tile(t, pack)) = codes;
        }
    }
    const long tile = first + tile_of_four(t) * kTilesAbreast;
    if (t.lane() % 2 == 0 && tile < tiles)
        store_scale(task.scales, tile / across, tile % across, task.rows, across, mine.scale);
}

}  // namespace strata
