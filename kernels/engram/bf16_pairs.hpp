// Eight BF16 numbers kept as the four words they were loaded as: as a Pack<Bf16> the compiler gives each its own
// register from load to use, twice as many as a kernel that holds rows has.
#pragma once

#include <cstdint>

#include "kernels/elements.hpp"

namespace strata {

using Bf16Pairs = Pack<std::uint32_t>;

STRATA_HD Bf16Pairs load_pairs(const Bf16* p, long index) {
    return load_pack(reinterpret_cast<const std::uint32_t*>(p + index), 0);
}
STRATA_HD void store_pairs(Bf16* p, long index, const Bf16Pairs& pairs) {
    store_pack(reinterpret_cast<std::uint32_t*>(p + index), 0, pairs);
}

STRATA_HD float element(const Bf16Pairs& pairs, int i) {
    const std::uint32_t pair = pairs.at[i / 2];
    return bits_as<float>(i % 2 == 0 ? pair << 16 : pair & 0xFFFF0000u);
}

STRATA_HD std::uint32_t pair_of(float low, float high) {
    return std::uint32_t(to_bf16(low).bits) | std::uint32_t(to_bf16(high).bits) << 16;
}

}  // namespace strata
