// Numbers as unsigned integers in the same order, so that selection is a comparison of integers: -0 is +0, and a NaN
// stands below everything, minus infinity included. No number's key is 0.
#pragma once

#include "kernels/elements.hpp"

namespace strata {

STRATA_HD std::uint32_t ordered(float x) {
    if (x != x) return 1;
    const auto bits = bits_as<std::uint32_t>(x == 0 ? 0.0f : x);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// The number of a key.
STRATA_HD float of_order(std::uint32_t key) { return bits_as<float>(key & 0x80000000u ? key & 0x7FFFFFFFu : ~key); }

}  // namespace strata
