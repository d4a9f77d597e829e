// Quantisation in tiles of 1x128, thread by thread. Sixteen lanes hold a tile, eight elements each, so that a tile is
// read once, its largest magnitude is found by four shuffles, and a warp reads 512 bytes in a row. Four tiles a thread
// are in flight at once, which is what it takes to keep HBM busy.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// Where the scale of (row, tile) is: row-major [rows][width / 128], or column-major with rows padded to a multiple of
// four, as TMA and block-scaled GEMMs of cuBLASLt read them.
enum class ScaleLayout { row_major, column_major };

struct QuantiseTilesTask {
    const Bf16* in = nullptr;  // [rows][width]
    E4m3* out = nullptr;       // [rows][width]
    float* scales = nullptr;   // a power of two is stored as float too
    long rows = 0;
    long width = 0;  // a multiple of 128
    bool power_of_two = false;
    ScaleLayout layout = ScaleLayout::row_major;
};

inline long padded_rows(long rows) { return (rows + 3) / 4 * 4; }
inline long scales_of(const QuantiseTilesTask& task) {
    return (task.layout == ScaleLayout::column_major ? padded_rows(task.rows) : task.rows) * (task.width / 128);
}

// Throws std::invalid_argument with what is wrong and what is expected.
inline void require_valid(const QuantiseTilesTask& task) {
    if (task.rows < 0 || task.width <= 0 || task.width % 128 != 0)
        throw std::invalid_argument("quantise: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(task.width) +
                                    " elements; the width must be a positive multiple of 128");
    if (task.rows > 0 && (!task.in || !task.out || !task.scales))
        throw std::invalid_argument("quantise: a buffer is missing (in, out and scales are all needed)");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 8 != 0)
        throw std::invalid_argument("quantise: `in` must be aligned to 16 bytes and `out` to 8");
}

// The scale of a tile and the factor its elements are multiplied by.
struct TileScale {
    float scale;
    float factor;
};

STRATA_HD TileScale tile_scale(float amax, bool power_of_two) {
    float scale = max_of(amax, 1e-4f) / kE4m3Max;
    if (power_of_two) scale = power_of_two_above(scale);
    return {scale, 1.0f / scale};
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
    Pack<Bf16> in[kTilesInFlight];
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i) {
        const long tile = first + i * (kQuantiseThreads / 16);
        in[i] = tile < tiles ? load_pack(task.in, tile * 128 + part) : Pack<Bf16>{};
    }
    STRATA_UNROLL
    for (int i = 0; i < kTilesInFlight; ++i) {
        const long tile = first + i * (kQuantiseThreads / 16);
        float amax = 0;
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) amax = amax_of(amax, to_float(in[i].at[x]));
        const TileScale scale = tile_scale(warp_max<16>(t, amax), task.power_of_two);
        if (tile >= tiles) continue;
        struct alignas(8) Codes {
            E4m3 at[8];
        } codes;
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) codes.at[x] = to_e4m3(to_float(in[i].at[x]) * scale.factor);
        *reinterpret_cast<Codes*>(task.out + tile * 128 + part) = codes;
        if (part == 0) {
            const long row = tile / across, column = tile % across;
            task.scales[task.layout == ScaleLayout::row_major ? tile : column * ((task.rows + 3) / 4 * 4) + row] =
                scale.scale;
        }
    }
}

}  // namespace strata
