// Where compressed entries stand in V4's caches: pages of 64 entries, each page first what is read together and then
// its scales, so that every read is aligned (facts kernels.md 0 and A4).
//   latent entries, 584 bytes: 448 E4M3 and the 64 rotary channels in BF16; then seven UE8M0 scales and a zero byte
//   index keys, 132 bytes: 128 E4M3; then one FP32 scale
#pragma once

#include <cstdint>

#include "kernels/elements.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

inline constexpr int kPageEntries = 64;
inline constexpr int kRotaryChannels = 64;

inline constexpr int kLatentChannels = 512;
inline constexpr int kLatentCodes = kLatentChannels - kRotaryChannels;
inline constexpr int kLatentTile = 64;                                   // channels that share a scale
inline constexpr int kLatentBytes = kLatentCodes + kRotaryChannels * 2;  // without scales
inline constexpr int kLatentScaleBytes = 8;
// A page is padded to whole rows of 576 bytes.
inline constexpr int kLatentPageBytes =
    (kPageEntries * (kLatentBytes + kLatentScaleBytes) + kLatentBytes - 1) / kLatentBytes * kLatentBytes;
static_assert(kLatentBytes == 576 && kLatentPageBytes == 37440);

inline constexpr int kIndexChannels = 128;
inline constexpr int kIndexPageBytes = kPageEntries * (kIndexChannels + 4);
static_assert(kIndexPageBytes == 8448);

STRATA_HD long latent_at(long slot) {
    return slot / kPageEntries * kLatentPageBytes + slot % kPageEntries * kLatentBytes;
}
STRATA_HD long latent_scales_at(long slot) {
    return slot / kPageEntries * kLatentPageBytes + kPageEntries * kLatentBytes +
           slot % kPageEntries * kLatentScaleBytes;
}
STRATA_HD long index_key_at(long slot) {
    return slot / kPageEntries * kIndexPageBytes + slot % kPageEntries * kIndexChannels;
}
STRATA_HD long index_scale_at(long slot) {
    return slot / kPageEntries * kIndexPageBytes + kPageEntries * kIndexChannels + slot % kPageEntries * 4;
}

}  // namespace strata
