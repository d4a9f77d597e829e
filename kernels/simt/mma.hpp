// The tensor cores' product of BF16 matrices as one warp sees it: sum (16x8) += a (16x16) b (16x8), accumulated in
// FP32. Lane l, with g = l / 4 and c = l % 4, holds pairs of neighbours, the lower in the low half:
//   a: rows g, g + 8, g, g + 8 at columns 2c, 2c, 2c + 8, 2c + 8      b: rows 2c and 2c + 8 of column g
//   sum: columns 2c and 2c + 1 of row g, then of row g + 8
#pragma once

#include "kernels/elements.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

struct alignas(16) MmaA {
    std::uint32_t at[4];
};

struct alignas(8) MmaB {
    std::uint32_t at[2];
};

struct MmaSum {
    float at[4];
};

template <class Thread>
STRATA_BODY void mma_bf16_m16n8k16([[maybe_unused]] Thread& t, MmaSum& sum, const MmaA& a, const MmaB& b) {
#ifdef __CUDACC__
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum.at[0]), "+f"(sum.at[1]), "+f"(sum.at[2]), "+f"(sum.at[3])
        : "r"(a.at[0]), "r"(a.at[1]), "r"(a.at[2]), "r"(a.at[3]), "r"(b.at[0]), "r"(b.at[1]));
#else
    struct Fragments {
        MmaA a;
        MmaB b;
    } all[32];
    t.gather(Fragments{a, b}, all, "mma");
    const int g = t.lane() / 4, c = t.lane() % 4;
    for (int i = 0; i < 4; ++i)
        for (int k = 0; k < 16; ++k) {
            const int high = k / 8, quad = k % 8 / 2;  // which register of which lane has column k of a, row k of b
            const std::uint32_t left = all[g * 4 + quad].a.at[high * 2 + i / 2];
            const std::uint32_t right = all[(2 * c + i % 2) * 4 + quad].b.at[high];
            sum.at[i] += k % 2 ? high_of(left) * high_of(right) : low_of(left) * low_of(right);
        }
#endif
}

}  // namespace strata
