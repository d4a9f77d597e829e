// The tensor cores' product of small BF16 matrices, summed in FP32, by the 32 lanes of a warp:
//   c[16][8] += a[16][16] b[16][8]
// Lane l = 4 g + i holds of a, in pairs of neighbouring columns, (g, 2i), (g + 8, 2i), (g, 2i + 8), (g + 8, 2i + 8); of
// b, in pairs of neighbouring rows, (2i, g), (2i + 8, g); of c (g, 2i), (g, 2i + 1), (g + 8, 2i), (g + 8, 2i + 1) (PTX
// ISA, mma.m16n8k16). Without tensor cores the lanes read what they need from each other.
#pragma once

#include "kernels/elements.hpp"

namespace strata {

STRATA_HD float low_bf16(std::uint32_t pair) { return bits_as<float>(pair << 16); }
STRATA_HD float high_bf16(std::uint32_t pair) { return bits_as<float>(pair & 0xFFFF0000u); }

template <class Thread>
STRATA_BODY void warp_product(Thread& t, float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
#ifdef __CUDA_ARCH__
    (void)t;
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, "
        "%2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    const auto both = [](std::uint32_t first, std::uint32_t second) { return first | (std::uint64_t(second) << 32); };
    const auto dot = [](std::uint32_t x, std::uint32_t y) {
        return low_bf16(x) * low_bf16(y) + high_bf16(x) * high_bf16(y);
    };
    const int group = t.lane() / 4, column = t.lane() % 4 * 2;
    for (int i = 0; i < 4; ++i) {  // columns 2i, 2i + 1, 2i + 8, 2i + 9 of a
        const std::uint64_t upper = t.shuffle(both(a[0], a[2]), group * 4 + i);
        const std::uint64_t lower = t.shuffle(both(a[1], a[3]), group * 4 + i);
        for (int right = 0; right < 2; ++right) {
            const std::uint64_t of_b = t.shuffle(both(b[0], b[1]), (column + right) * 4 + i);
            c[right] += dot(std::uint32_t(upper), std::uint32_t(of_b)) +
                        dot(std::uint32_t(upper >> 32), std::uint32_t(of_b >> 32));
            c[2 + right] += dot(std::uint32_t(lower), std::uint32_t(of_b)) +
                            dot(std::uint32_t(lower >> 32), std::uint32_t(of_b >> 32));
        }
    }
#endif
}

}  // namespace strata
