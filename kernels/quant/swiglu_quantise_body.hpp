// SwiGLU and quantisation in tiles of 1x128 in one pass: the product never goes to memory in BF16. Eight lanes hold a
// tile (tile_lanes.hpp); a thread has the gates and the ups of two tiles in flight.
#pragma once

#include <limits>

#include "kernels/quant/tile_lanes.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

inline constexpr float kNoSwigluLimit = std::numeric_limits<float>::infinity();

struct SwigluQuantiseTask {
    const Bf16* in = nullptr;  // [rows][2 width]: gates, then ups
    E4m3* out = nullptr;       // [rows][width]
    TileScales scales{};
    long rows = 0;
    long width = 0;                // of the output, a multiple of 128
    float limit = kNoSwigluLimit;  // gate <= limit and |up| <= limit; V4: 10
};

inline long scales_of(const SwigluQuantiseTask& task) { return scale_count(task.scales, task.rows, task.width / 128); }

inline void require_valid(const SwigluQuantiseTask& task) {
    if (task.rows < 0 || task.width <= 0 || task.width % 128 != 0)
        throw std::invalid_argument("swiglu_quantise: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(task.width) +
                                    " outputs; the width must be a positive multiple of 128");
    if (!(task.limit > 0))
        throw std::invalid_argument("swiglu_quantise: a limit of " + std::to_string(task.limit) +
                                    "; expected a positive one, or infinity for none");
    if (task.rows == 0) return;
    require_valid(task.scales, "swiglu_quantise");
    if (!task.in || !task.out)
        throw std::invalid_argument("swiglu_quantise: a buffer is missing (in and out are needed)");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 8 != 0)
        throw std::invalid_argument("swiglu_quantise: `in` must be aligned to 16 bytes and `out` to 8");
}

// gate / (1 + e^-gate) to two units in the last place, without the scaling that results below 2^-126 would need: they
// become 0, and e^-gate is added to 1.
STRATA_HD float fast_silu(float gate) {
#ifdef __CUDA_ARCH__
    float power, inverse;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(gate * -1.44269504f));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(1.0f + power));
    return gate * inverse;
#else
    return gate / (1.0f + std::exp(-gate));
#endif
}

// A NaN stays one.
STRATA_HD float at_most(float x, float limit) {
#ifdef __CUDA_ARCH__
    float least;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(least) : "f"(x), "f"(limit));
    return least;
#else
    return x > limit ? limit : x;
#endif
}

// A NaN in either stays one.
STRATA_HD float swiglu(float gate, float up, float limit) {
    return fast_silu(at_most(gate, limit)) * -at_most(-at_most(up, limit), limit);
}

inline constexpr int kSwigluThreads = 128;
inline constexpr int kSwigluTiles = 2;  // in flight, a thread
inline constexpr int kSwigluWarpTiles = kTilesAbreast * kSwigluTiles;

inline Grid grid_of(const SwigluQuantiseTask& task) {
    const long tiles = task.rows * (task.width / 128);
    return {.blocks = int(ceil_div(tiles, kSwigluThreads / 32 * kSwigluWarpTiles)), .threads = kSwigluThreads};
}

template <class Thread>
STRATA_BODY void swiglu_quantise(Thread& t, const SwigluQuantiseTask& task) {
    const long across = task.width / 128, tiles = task.rows * across;
    const long warp_first = (long(t.block()) * (kSwigluThreads / 32) + t.warp()) * kSwigluWarpTiles;
    const long first = warp_first + t.lane() / kTileLanes;
    PackedBf16 gates[kSwigluTiles][kTilePacks], ups[kSwigluTiles][kTilePacks];
    STRATA_UNROLL
    for (int i = 0; i < kSwigluTiles; ++i) {
        const long tile = first + i * kTilesAbreast;
        const long gate = (tile + tile / across * across) * 128;
        STRATA_UNROLL
        for (int pack = 0; pack < kTilePacks; ++pack) {
            const long at = gate + pack_in_tile(t, pack);
            gates[i][pack] = tile < tiles ? load_packed(task.in, at) : PackedBf16{};
            ups[i][pack] = tile < tiles ? load_packed(task.in, at + task.width) : PackedBf16{};
        }
    }
    float products[kSwigluTiles][kTilePacks][8], most[kSwigluTiles]{};
    STRATA_UNROLL
    for (int i = 0; i < kSwigluTiles; ++i) STRATA_UNROLL
    for (int pack = 0; pack < kTilePacks; ++pack) STRATA_UNROLL
    for (int x = 0; x < 8; ++x) {
        products[i][pack][x] = swiglu(number_at(gates[i][pack], x), number_at(ups[i][pack], x), task.limit);
        most[i] = larger_magnitude(most[i], products[i][pack][x]);
    }
    const TileScale mine = tile_scale(largest_of_two(t, most[0], most[1]), is_power_of_two(task.scales));
    STRATA_UNROLL
    for (int i = 0; i < kSwigluTiles; ++i) {
        const long tile = first + i * kTilesAbreast;
        const float factor = t.shuffle(mine.factor, t.lane() / kTileLanes * kTileLanes + i * 4);
        STRATA_UNROLL
        for (int pack = 0; pack < kTilePacks; ++pack) {
            const Codes codes = codes_of([&](int x) { return products[i][pack][x] * factor; });
            if (tile < tiles) *reinterpret_cast<Codes*>(task.out + tile * 128 + pack_in_tile(t, pack)) = codes;
        }
    }
    const long tile = first + tile_of_two(t) * kTilesAbreast;
    if (t.lane() % 4 == 0 && tile < tiles)
        store_scale(task.scales, tile / across, tile % across, task.rows, across, mine.scale);
}

}  // namespace strata
