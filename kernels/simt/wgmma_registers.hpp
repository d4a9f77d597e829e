// Which part of a warpgroup's matrices each of its 128 threads holds in registers (PTX ISA 9.0, "Register fragments and
// shared memory matrix layouts" of wgmma). `thread` is the thread's number in its warpgroup; register i of the sum is
// at row wgmma_row(thread, i), column wgmma_column(thread, i) of the 64 x n product.
#pragma once

#include <cstdint>

#include "kernels/simt/portable.hpp"

namespace strata {

inline constexpr int kWarpgroup = 128;

template <int n>
struct WgmmaSum {
    static constexpr int kRegisters = n / 2;
    float at[kRegisters];
};

// 64 x 32 bytes of A: of BF16 register i has two neighbours along K, of E4M3 four, the first in the low bits.
struct WgmmaA {
    std::uint32_t at[4];
};

STRATA_HD constexpr int wgmma_row(int thread, int i) { return thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8; }
STRATA_HD constexpr int wgmma_column(int thread, int i) { return i / 4 * 8 + thread % 4 * 2 + i % 2; }

// Of register i of A: its row, and the byte along K (of 32) that it begins with.
STRATA_HD constexpr int wgmma_a_row(int thread, int i) { return thread / 32 * 16 + thread % 32 / 4 + i % 2 * 8; }
STRATA_HD constexpr int wgmma_a_byte(int thread, int i) { return thread % 4 * 4 + i / 2 * 16; }

}  // namespace strata
