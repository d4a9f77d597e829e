// SwiGLU and quantisation in tiles of 1x128 in one pass: the product never goes to memory in BF16. Lanes as in
// quantise_body.hpp; a thread has the gates and the ups of four tiles in flight.
#pragma once

#include <limits>

#include "kernels/quant/scales.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/warp.hpp"

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

// a / b to two units in the last place, in two instructions instead of ten: divisions would take a third of the time.
STRATA_HD float fast_quotient(float a, float b) {
#ifdef __CUDA_ARCH__
    return __fdividef(a, b);
#else
    return a / b;
#endif
}

// A NaN in either stays one.
STRATA_HD float swiglu(float gate, float up, float limit) {
    gate = gate > limit ? limit : gate;
    up = up > limit ? limit : up < -limit ? -limit : up;
    return fast_quotient(gate * up, 1.0f + exp_of(-gate));
}

inline constexpr int kSwigluThreads = 256;
inline constexpr int kSwigluTiles = 4;  // in flight, a thread

inline Grid grid_of(const SwigluQuantiseTask& task) {
    const long tiles = task.rows * (task.width / 128);
    return {.blocks = int(ceil_div(tiles, kSwigluThreads / 16 * kSwigluTiles)), .threads = kSwigluThreads};
}

template <class Thread>
STRATA_BODY void swiglu_quantise(Thread& t, const SwigluQuantiseTask& task) {
    const long across = task.width / 128, tiles = task.rows * across;
    const long first = long(t.block()) * (kSwigluThreads / 16 * kSwigluTiles) + t.thread() / 16;
    const int part = t.thread() % 16 * 8;
    PackedBf16 gates[kSwigluTiles], ups[kSwigluTiles];
    STRATA_UNROLL
    for (int i = 0; i < kSwigluTiles; ++i) {
        const long tile = first + i * (kSwigluThreads / 16);
        const long gate = tile / across * 2 * task.width + tile % across * 128 + part;
        gates[i] = tile < tiles ? load_packed(task.in, gate) : PackedBf16{};
        ups[i] = tile < tiles ? load_packed(task.in, gate + task.width) : PackedBf16{};
    }
    STRATA_UNROLL
    for (int i = 0; i < kSwigluTiles; ++i) {
        const long tile = first + i * (kSwigluThreads / 16);
        float products[8], amax = 0;
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) {
            products[x] = swiglu(number_at(gates[i], x), number_at(ups[i], x), task.limit);
            amax = amax_of(amax, products[x]);
        }
        const TileScale scale = tile_scale(warp_max<16>(t, amax), is_power_of_two(task.scales));
        if (tile >= tiles) continue;
        const Codes codes = codes_of([&](int x) { return products[x] * scale.factor; });
        *reinterpret_cast<Codes*>(task.out + tile * 128 + part) = codes;
        if (part == 0) store_scale(task.scales, tile / across, tile % across, task.rows, across, scale.scale);
    }
}

}  // namespace strata
