// Rounding to BF16 up or down by chance, so that the mean over many roundings is the number itself: small updates are
// not lost. The chance is a hash of a counter, hence the same for the same seed in whatever order threads run.
#pragma once

#include <cstdint>

#include "kernels/elements.hpp"
#include "kernels/mixed_bits.hpp"

namespace strata {

// `chance`: 16 random bits. What lies between two BF16 numbers becomes the upper one with the probability of its place
// between them; a BF16 number stays. NaN and infinities stay; a finite number stays finite.
STRATA_HD Bf16 round_by_chance(float x, std::uint32_t chance) {
    constexpr std::uint32_t kLargestBf16 = 0x7F7F0000u;
    const auto bits = bits_as<std::uint32_t>(x);
    std::uint32_t rounded = bits + (chance & 0xFFFFu);
    if ((bits & 0x7FFFFFFFu) >= kLargestBf16) rounded = x != x ? 0x7FFF0000u : bits;  // nothing finite is above it
    return {std::uint16_t(rounded >> 16)};
}

}  // namespace strata
