// A hash of a counter: random numbers that depend on nothing but their place.
#pragma once

#include <cstdint>

#include "kernels/simt/portable.hpp"

namespace strata {

// SplitMix64's finaliser: a bijection of 64 bits with no visible pattern over a counter.
STRATA_HD std::uint64_t mixed_bits(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

}  // namespace strata
