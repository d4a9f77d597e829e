// How a warp holds tiles of 1x128: eight lanes a tile, two packs of eight elements each, so that every load and every
// store is whole sectors. A thread has several tiles, and their largest magnitudes travel together: at each step of the
// reduction a lane hands half of what it has to its partner, so that four tiles take three shuffles, and each scale is
// computed and stored by the lanes it ends at. One scale a lane group at a time would take more instructions than HBM
// leaves time for.
#pragma once

#include "kernels/quant/scales.hpp"
#include "kernels/simt/packed_bf16.hpp"

namespace strata {

inline constexpr int kTileLanes = 8;
inline constexpr int kTilePacks = 2;                   // of a lane in a tile
inline constexpr int kTilesAbreast = 32 / kTileLanes;  // tiles that a warp's access takes

// Where pack `pack` of this lane begins in its tile.
template <class Thread>
STRATA_BODY int pack_in_tile(Thread& t, int pack) {
    return (pack * kTileLanes + t.lane() % kTileLanes) * 8;
}

// The larger of each 16 bits. Magnitudes of BF16 numbers are in the order of their bits, and a NaN is above all.
STRATA_HD std::uint32_t larger_halves(std::uint32_t a, std::uint32_t b) {
#ifdef __CUDA_ARCH__
    return __vmaxu2(a, b);
#else
    const std::uint32_t low = (a & 0xFFFF) > (b & 0xFFFF) ? a : b, high = a >> 16 > b >> 16 ? a : b;
    return (low & 0xFFFF) | (high & 0xFFFF0000u);
#endif
}

// Of a pack, two numbers' magnitudes that are the largest of its even and of its odd elements.
STRATA_HD std::uint32_t largest_magnitudes(const PackedBf16& pack) {
    constexpr std::uint32_t kMagnitudes = 0x7FFF7FFFu;
    return larger_halves(larger_halves(pack.at[0] & kMagnitudes, pack.at[1] & kMagnitudes),
                         larger_halves(pack.at[2] & kMagnitudes, pack.at[3] & kMagnitudes));
}

// Of two tiles' such pairs: the largest of the first in the low half and of the second in the high one.
STRATA_HD std::uint32_t largest_of_two(std::uint32_t first, std::uint32_t second) {
    return larger_halves((first & 0xFFFF) | second << 16, first >> 16 | (second & 0xFFFF0000u));
}

// The larger magnitude; a NaN stays.
STRATA_HD float larger_magnitude(float amax, float x) {
#ifdef __CUDA_ARCH__
    float larger;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(larger) : "f"(amax), "f"(fabsf(x)));
    return larger;
#else
    return std::isnan(amax) || std::fabs(x) <= amax ? amax : std::fabs(x);
#endif
}

// The tile, of four that a thread has, whose largest magnitude (that of a BF16 number) largest_of_four gives this lane.
template <class Thread>
STRATA_BODY int tile_of_four(Thread& t) {
    return t.lane() % kTileLanes / 2;
}

// `first`, `second`: largest_of_two of the thread's tiles 0 and 1, and 2 and 3.
template <class Thread>
STRATA_BODY float largest_of_four(Thread& t, std::uint32_t first, std::uint32_t second) {
    const bool upper = t.lane() & 4;
    std::uint32_t most = larger_halves(upper ? second : first, t.shuffle_xor(upper ? first : second, 4));
    most = larger_halves(most, t.shuffle_xor(most, 2));
    most = larger_halves(most, t.shuffle_xor(most, 1));
    return t.lane() & 2 ? high_of(most) : low_of(most);
}

// The same for two tiles of FP32 numbers, whose largest magnitudes are `first` and `second`.
template <class Thread>
STRATA_BODY int tile_of_two(Thread& t) {
    return t.lane() % kTileLanes / 4;
}

template <class Thread>
STRATA_BODY float largest_of_two(Thread& t, float first, float second) {
    const bool upper = t.lane() & 4;
    float most = larger_magnitude(upper ? second : first, t.shuffle_xor(upper ? first : second, 4));
    most = larger_magnitude(most, t.shuffle_xor(most, 2));
    return larger_magnitude(most, t.shuffle_xor(most, 1));
}

}  // namespace strata
