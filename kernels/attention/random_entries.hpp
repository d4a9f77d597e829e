// Random entries of a latent cache, for tests and for the bench.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "kernels/attention/latent_cache.hpp"

namespace strata {

// Pages one after the other; numbers of about `deviation` (0.1: that of FlashMLA's tests, whose bounds are absolute).
// Codes use all of E4M3 (scaled by their largest, as a cache's writer does); padding is rubbish.
inline std::vector<std::uint8_t> random_entries(LatentFormat format, const LatentCache& like, std::uint64_t seed,
                                                float deviation = 0.1f) {
    const LatentLayout layout = layout_of(format);
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal(0, deviation);
    std::vector<std::uint8_t> pages(std::size_t(like.pages * like.page_bytes), 0xFF);
    for (long page = 0; page < like.pages; ++page)
        for (long slot = 0; slot < like.page_entries * like.heads; ++slot) {
            std::uint8_t* base = &pages[std::size_t(page * like.page_bytes)];
            std::uint8_t* row = base + slot * layout.row_bytes;
            std::uint8_t* scales = layout.scales_outside > 0
                                       ? base + like.page_entries * layout.row_bytes + slot * layout.scales_outside
                                       : row + layout.scales_at;
            for (int first = 0; first < layout.codes; first += layout.codes_a_scale) {
                // Scales differ by up to 4 between the groups of an entry, so that a mistaken one shows.
                float scale = deviation / 64 * float(1 << random() % 3);
                if (format == LatentFormat::v32_fp8) {
                    scale *= 1 + float(random() % 128) / 128;
                    std::memcpy(scales + first / layout.codes_a_scale * 4, &scale, 4);
                } else {
                    scale = power_of_two_above(scale);
                    scales[first / layout.codes_a_scale] = to_ue8m0(scale).bits;
                }
                for (int d = first; d < first + layout.codes_a_scale; ++d)
                    row[d] = to_e4m3(normal(random) / scale).bits;
            }
            for (int d = layout.codes; d < layout.dim; ++d) {
                const Bf16 x = to_bf16(normal(random));
                std::memcpy(row + layout.rest_at + (d - layout.codes) * 2, &x, 2);
            }
        }
    return pages;
}

}  // namespace strata
