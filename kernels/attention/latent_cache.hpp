// How the latent KV entries of MLA are stored: rows of BF16, or FP8 with scales. Entries stand in pages; a flat array
// of entries is one page of them all.
//   bf16_576  V3: 512 latent + 64 rotary
//   bf16_512  V4: 448 + 64 rotary, and all 512 are the value
//   v32_fp8   656 B: 512 E4M3, 4 FP32 scales of 128 codes each, 64 BF16 (DeepSeek-V3.2-Exp; FlashMLA README)
//   v4_fp8    576 B: 448 E4M3, 64 BF16; behind all rows of a page 8 B an entry: 7 UE8M0 scales of 64 codes each and a
//             byte of padding; a page is padded to a multiple of 576 B (FlashMLA tests/quant.py, MODEL1)
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"

namespace strata {

enum class LatentFormat { bf16_576, bf16_512, v32_fp8, v4_fp8 };

inline constexpr int kLatentValueDim = 512;
inline constexpr int kLatentPage = 64;  // entries a page of dense decoding

struct LatentLayout {
    int dim;            // that scores run over
    int codes;          // leading dimensions that are E4M3
    int codes_a_scale;  // 0: no scales
    int row_bytes;
    int scales_at;       // byte of the row
    int rest_at;         // byte of the row where the BF16 dimensions begin
    int scales_outside;  // bytes an entry behind the rows of its page, instead of in the row
    int page_multiple;   // of bytes
};

STRATA_HD constexpr LatentLayout layout_of(LatentFormat format) {
    switch (format) {
        case LatentFormat::bf16_576: return {576, 0, 0, 1152, 0, 0, 0, 16};
        case LatentFormat::bf16_512: return {512, 0, 0, 1024, 0, 0, 0, 16};
        case LatentFormat::v32_fp8: return {576, 512, 128, 656, 512, 528, 0, 16};
        case LatentFormat::v4_fp8: return {512, 448, 64, 576, 0, 448, 8, 576};
    }
    return {};  // unreachable: the enum is complete
}

constexpr double entry_bytes(LatentFormat format) {
    return layout_of(format).row_bytes + layout_of(format).scales_outside;
}

struct LatentCache {
    const std::uint8_t* data = nullptr;
    long pages = 0;
    long page_entries = kLatentPage;
    long page_bytes = 0;  // from page to page
    int heads = 1;        // KV heads, neighbours in a page: [page_entries][heads]

    STRATA_HD long entries() const { return pages * page_entries; }
};

// Bytes of the smallest page.
constexpr long page_bytes_of(LatentFormat format, long entries, int heads = 1) {
    const LatentLayout layout = layout_of(format);
    const long bytes = entries * (layout.row_bytes * heads + layout.scales_outside);
    return (bytes + layout.page_multiple - 1) / layout.page_multiple * layout.page_multiple;
}

// Where an entry is; no row: there is none, and it is as if it were masked.
struct LatentPlace {
    const std::uint8_t* row = nullptr;
    const std::uint8_t* scales = nullptr;
};

template <LatentFormat format>
STRATA_HD LatentPlace place_of(const LatentCache& cache, long page, long slot, int head) {
    constexpr LatentLayout kLayout = layout_of(format);
    const std::uint8_t* base = cache.data + page * cache.page_bytes;
    const std::uint8_t* row = base + (slot * cache.heads + head) * kLayout.row_bytes;
    return {row, kLayout.scales_outside > 0
                     ? base + cache.page_entries * kLayout.row_bytes + slot * kLayout.scales_outside
                     : row + kLayout.scales_at};
}

inline void require_valid(const LatentCache& cache, LatentFormat format, const std::string& op) {
    const auto refuse = [&](const std::string& what) { throw std::invalid_argument(op + ": " + what); };
    const LatentLayout layout = layout_of(format);
    if (cache.pages < 0 || cache.page_entries < 1 || cache.heads < 1)
        refuse("a cache of " + std::to_string(cache.pages) + " pages of " + std::to_string(cache.page_entries) +
               " entries of " + std::to_string(cache.heads) + " heads; expected pages of 1 or more");
    if (cache.entries() > 0x7FFFFFFFL)
        refuse(std::to_string(cache.entries()) + " entries; expected as many as 32-bit indices can name");
    if (cache.heads != 1 && layout.codes > 0) refuse("an FP8 cache has one KV head");
    const long least = page_bytes_of(format, cache.page_entries, cache.heads);
    if (cache.page_bytes < least || cache.page_bytes % layout.page_multiple != 0)
        refuse("pages are " + std::to_string(cache.page_bytes) + " bytes apart; expected at least " +
               std::to_string(least) + " and a multiple of " + std::to_string(layout.page_multiple));
    if (cache.pages > 0 && !cache.data) refuse("the cache is missing");
    if (reinterpret_cast<std::uintptr_t>(cache.data) % 16 != 0) refuse("the cache must be aligned to 16 bytes");
}

}  // namespace strata
