// x mod p for 64-bit x by a precomputed reciprocal r = floor(2^64 / p): the GPU has no 64-bit division, and `%` costs a
// hundred instructions. With e = 2^64 / p - r, 0 <= e < 1, the quotient estimate floor(x r / 2^64) falls short of x / p
// by x e / 2^64 < 1, so it is the quotient or one less, and one conditional subtraction is enough. For p < 2^31 the
// uncorrected rest is below 2^32: its low word is all that has to be computed.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/engram/uint128.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

struct PrimeModulus {
    std::uint64_t reciprocal = 0;
    std::uint32_t prime = 1;
};

// Any divisor from 2 to 2^31 - 1 will do; the hash only has primes.
inline PrimeModulus prime_modulus(std::int64_t prime) {
    if (prime < 2 || prime >= std::int64_t(1) << 31)
        throw std::invalid_argument("prime_modulus: expected 2 to 2^31 - 1, found " + std::to_string(prime));
    const auto reciprocal = (static_cast<Uint128>(1) << 64) / static_cast<Uint128>(prime);
    return {std::uint64_t(reciprocal), std::uint32_t(prime)};
}

STRATA_HD std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
#ifdef __CUDA_ARCH__
    return __umul64hi(a, b);
#else
    return std::uint64_t((static_cast<Uint128>(a) * b) >> 64);
#endif
}

STRATA_HD std::uint32_t modulo(std::uint64_t x, const PrimeModulus& by) {
    const auto quotient = std::uint32_t(high_product(x, by.reciprocal));
    const std::uint32_t rest = std::uint32_t(x) - quotient * by.prime;
    return rest >= by.prime ? rest - by.prime : rest;
}

}  // namespace strata
