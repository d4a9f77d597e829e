// Eight BF16 numbers in four registers. nvcc gives each half-word of a Pack<Bf16> a register of its own: kernels that
// hold many loads at once keep them as words and take a number out when it is used, by one instruction.
#pragma once

#include "kernels/elements.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

using PackedBf16 = Pack<std::uint32_t>;

STRATA_HD PackedBf16 load_packed(const Bf16* p, long index) { return *reinterpret_cast<const PackedBf16*>(p + index); }

STRATA_HD void store_packed(Bf16* p, long index, const PackedBf16& pack) {
    *reinterpret_cast<PackedBf16*>(p + index) = pack;
}

STRATA_HD float low_of(std::uint32_t pair) { return bits_as<float>(pair << 16); }
STRATA_HD float high_of(std::uint32_t pair) { return bits_as<float>(pair & 0xFFFF0000u); }

STRATA_HD float number_at(const PackedBf16& pack, int i) {
    return i % 2 ? high_of(pack.at[i / 2]) : low_of(pack.at[i / 2]);
}

STRATA_HD std::uint32_t bf16_pair(float low, float high) {
#ifdef __CUDA_ARCH__
    std::uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return to_bf16(low).bits | std::uint32_t(to_bf16(high).bits) << 16;
#endif
}

}  // namespace strata
