// Philox 4x32-10 (Salmon et al., SC 2011): 128 random bits from a counter and a key, with no state. The same draw is
// had again from the same counter, on the GPU and on the host, in whatever order draws are made.
#pragma once

#include <cstdint>

#include "kernels/simt/portable.hpp"

namespace strata {

struct PhiloxCounter {
    std::uint32_t at[4];
};

struct PhiloxKey {
    std::uint32_t at[2];
};

STRATA_HD PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
    constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
    constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = kMultiplier0 * counter.at[0], product1 = kMultiplier1 * counter.at[2];
        counter = {{std::uint32_t(product1 >> 32) ^ counter.at[1] ^ key.at[0], std::uint32_t(product1),
                    std::uint32_t(product0 >> 32) ^ counter.at[3] ^ key.at[1], std::uint32_t(product0)}};
        key.at[0] += kWeyl0, key.at[1] += kWeyl1;
    }
    return counter;
}

// In [0, 1): a multiple of 2^-24, exact in float.
STRATA_HD float unit_float(std::uint32_t bits) { return float(bits >> 8) * 0x1p-24f; }
// In [0, 1): a multiple of 2^-53, fine enough for any token of a large vocabulary to be drawn.
STRATA_HD double unit_double(std::uint32_t high, std::uint32_t low) {
    return double(((std::uint64_t(high) << 32) | low) >> 11) * 0x1p-53;
}

}  // namespace strata
