// Small floating-point formats, bit for bit the same on the GPU and on the host: bfloat16, E4M3 (OCP FP8: no infinity,
// largest 448) and UE8M0 (a power of two). To a format is rounding to nearest even; to E4M3 it saturates, and NaN stays
// NaN. On the GPU the conversions are one instruction.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/simt/portable.hpp"

namespace strata {

template <class To, class From>
STRATA_HD To bits_as(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof(to));
    return to;
}

struct Bf16 {
    std::uint16_t bits;
};

struct E4m3 {
    std::uint8_t bits;
};

struct Ue8m0 {
    std::uint8_t bits;
};

inline constexpr float kE4m3Max = 448.0f;

STRATA_HD float to_float(Bf16 x) { return bits_as<float>(std::uint32_t(x.bits) << 16); }
STRATA_HD float to_float(float x) { return x; }

STRATA_HD Bf16 to_bf16(float x) {
#ifdef __CUDA_ARCH__
    std::uint16_t bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return {bits};
#else
    const auto bits = bits_as<std::uint32_t>(x);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) return {0x7FFF};  // NaN, as the GPU writes it
    return {std::uint16_t((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
#endif
}

STRATA_HD float to_float(E4m3 x) {
    const std::uint32_t sign = std::uint32_t(x.bits & 0x80) << 24, magnitude = x.bits & 0x7F;
    if (magnitude == 0x7F) return bits_as<float>(sign | 0x7FC00000);
    if (magnitude < 8) {  // subnormal: multiples of 2^-9
        const float value = float(magnitude) * 0x1p-9f;
        return sign ? -value : value;
    }
    return bits_as<float>(sign | ((magnitude << 20) + ((127u - 7u) << 23)));
}

STRATA_HD E4m3 to_e4m3(float x) {
#ifdef __CUDA_ARCH__
    std::uint16_t pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
    return {std::uint8_t(pair)};
#else
    const auto bits = bits_as<std::uint32_t>(x);
    const std::uint8_t sign = std::uint8_t((bits >> 24) & 0x80);
    const float magnitude = bits_as<float>(bits & 0x7FFFFFFF);
    if (magnitude != magnitude) return {0x7F};  // the sign of a NaN is dropped, as the GPU does
    if (magnitude >= kE4m3Max) return {std::uint8_t(sign | 0x7E)};
    if (magnitude < 0x1p-6f) {  // rounds to a multiple of 2^-9: adding 2^14 leaves exactly those bits
        const float rounded = magnitude + 0x1p14f;
        return {std::uint8_t(sign | (bits_as<std::uint32_t>(rounded) - bits_as<std::uint32_t>(0x1p14f)))};
    }
    const auto exact = bits_as<std::uint32_t>(magnitude);
    const std::uint32_t rounded = exact + 0x7FFFF + ((exact >> 20) & 1);
    const std::uint32_t e4m3 = (rounded - ((127u - 7u) << 23)) >> 20;
    return {std::uint8_t(sign | (e4m3 > 0x7E ? 0x7Eu : e4m3))};
#endif
}

// The smallest power of two that is not below x, for positive finite x: a UE8M0 scale (DeepGEMM's rule).
STRATA_HD float power_of_two_above(float x) {
    return bits_as<float>((bits_as<std::uint32_t>(x) + 0x7FFFFFu) & 0x7F800000u);
}

STRATA_HD Ue8m0 to_ue8m0(float power_of_two) { return {std::uint8_t(bits_as<std::uint32_t>(power_of_two) >> 23)}; }

STRATA_HD float to_float(Ue8m0 x) {
    return x.bits == 0     ? 0x1p-127f
           : x.bits == 255 ? bits_as<float>(0x7FC00000u)
                           : bits_as<float>(std::uint32_t(x.bits) << 23);
}

// So that an element of any type is read and written the same way.
template <class T>
STRATA_HD T from_float(float x);
template <>
STRATA_HD Bf16 from_float<Bf16>(float x) {
    return to_bf16(x);
}
template <>
STRATA_HD float from_float<float>(float x) {
    return x;
}
template <>
STRATA_HD E4m3 from_float<E4m3>(float x) {
    return to_e4m3(x);
}

}  // namespace strata
