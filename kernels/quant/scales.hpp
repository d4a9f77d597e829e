// Scales of quantised tiles: how one follows from the largest magnitude, and the forms they are stored in.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/elements.hpp"

namespace strata {

// Where the scale of (row, tile) is: row-major [rows][width / 128], or column-major with rows padded to a multiple of
// four, as TMA and block-scaled GEMMs of cuBLASLt read them.
enum class ScaleLayout { row_major, column_major };

// Where the scales of 1x128 tiles go: FP32, or UE8M0 bytes. Packed bytes stand four tiles of a row to a 32-bit word,
// the first lowest (DeepGEMM's recipe for block-scaled tensor cores); bytes of tiles that a row has not are zero. With
// column-major packed scales a column is one of words.
struct TileScales {
    float* fp32 = nullptr;  // exactly one of the two
    Ue8m0* ue8m0 = nullptr;
    bool power_of_two = false;  // FP32 scales only: raised to a power of two, as UE8M0 always is
    ScaleLayout layout = ScaleLayout::row_major;
    bool packed = false;  // UE8M0 only
};

inline long padded_rows(long rows) { return (rows + 3) / 4 * 4; }

// How many floats or bytes the scales of rows x across tiles take.
inline long scale_count(const TileScales& scales, long rows, long across) {
    return (scales.layout == ScaleLayout::column_major ? padded_rows(rows) : rows) *
           (scales.packed ? (across + 3) / 4 * 4 : across);
}

inline void require_valid(const TileScales& scales, const std::string& op) {
    if (!scales.fp32 == !scales.ue8m0)
        throw std::invalid_argument(op + ": expected one buffer of scales, FP32 or UE8M0, found " +
                                    (scales.fp32 ? "both" : "none"));
    if (scales.packed && !scales.ue8m0) throw std::invalid_argument(op + ": only UE8M0 scales are packed");
    if (scales.packed && reinterpret_cast<std::uintptr_t>(scales.ue8m0) % 4 != 0)
        throw std::invalid_argument(op + ": packed scales must be aligned to 4 bytes");
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

STRATA_HD bool is_power_of_two(const TileScales& scales) { return scales.ue8m0 || scales.power_of_two; }

STRATA_HD void store_scale(const TileScales& to, long row, long tile, long rows, long across, float scale) {
    const long padded = (rows + 3) / 4 * 4;
    const bool by_row = to.layout == ScaleLayout::row_major;
    if (!to.packed) {
        const long at = by_row ? row * across + tile : tile * padded + row;
        if (to.fp32)
            to.fp32[at] = scale;
        else
            to.ue8m0[at] = to_ue8m0(scale);
        return;
    }
    const long words = (across + 3) / 4;
    Ue8m0* word = to.ue8m0 + (by_row ? row * words + tile / 4 : tile / 4 * padded + row) * 4;
    word[tile % 4] = to_ue8m0(scale);
    if (tile == across - 1)
        for (long absent = tile % 4 + 1; absent < 4; ++absent) word[absent] = {0};
}

// Eight codes that one thread stores at once.
struct alignas(8) Codes {
    std::uint32_t at[2];
};

STRATA_HD std::uint32_t e4m3_pair(float low, float high) {
#ifdef __CUDA_ARCH__
    std::uint16_t pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return to_e4m3(low).bits | std::uint32_t(to_e4m3(high).bits) << 8;
#endif
}

template <class Number>
STRATA_BODY Codes codes_of(Number number) {
    Codes codes;
    STRATA_UNROLL
    for (int half = 0; half < 2; ++half)
        codes.at[half] = e4m3_pair(number(half * 4), number(half * 4 + 1)) |
                         e4m3_pair(number(half * 4 + 2), number(half * 4 + 3)) << 16;
    return codes;
}

}  // namespace strata
