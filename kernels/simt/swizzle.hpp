// How tiles lie in shared memory for the tensor cores and for bulk tensor copies, and the descriptor by which wgmma
// finds them. Host and device share it; the emulator reads and writes tiles through it.
//
// A swizzled row is as wide as the swizzle (128 bytes, say 64 BF16 or 128 E4M3) and rows follow each other without gap.
// Within each group of rows the 16-byte chunks of a row are permuted by XOR with the row's number, so that a column of
// chunks touches all banks. The hardware permutes address bits: tiles begin at a multiple of 1024 bytes.
//
//   K-major operand (the row is along K): row r, byte b lies at  swizzled(start + r % 8 * 128 + r / 8 * stride + b)
//   MN-major operand (the row is along M or N, 64 BF16 of one k): k lies at start + k % 8 * 128 + k / 8 * stride, and
//   the next 64 of M or N follow `leading` bytes later.
// So for a K-major tile of 128 bytes a row, stride = 1024 and leading is not used; a step of 32 bytes along K (16 BF16,
// 32 E4M3) adds 32 to the start. For an MN-major tile [k][64] of BF16, stride = 1024; 16 of K add 2048 to the start;
// leading = rows of K * 128 where N > 64 is stored as one tile [k][64] after the other.
// (PTX ISA 9.0, "Asynchronous warpgroup level matrix shared memory layout", "Matrix descriptor".)
//
//   const std::uint64_t a = k_major_descriptor(t.shared_address(tile));             // 128-byte rows
//   const std::uint64_t v = mn_major_descriptor(t.shared_address(tile), keys * 128);
//   products.multiply<E4m3>(t, sum, advanced(a, 32 * step), ...);
#pragma once

#include <cstdint>

#include "kernels/simt/portable.hpp"

namespace strata {

enum class Swizzle : int { none = 0, bytes_128 = 1, bytes_64 = 2, bytes_32 = 3 };  // as the descriptor numbers them

STRATA_HD constexpr int row_bytes(Swizzle swizzle) {
    return swizzle == Swizzle::bytes_128  ? 128
           : swizzle == Swizzle::bytes_64 ? 64
           : swizzle == Swizzle::bytes_32 ? 32
                                          : 16;
}

// Where a byte lies whose place without swizzle would be `address`.
STRATA_HD constexpr std::uint32_t swizzled(std::uint32_t address, Swizzle swizzle = Swizzle::bytes_128) {
    const std::uint32_t chunks = std::uint32_t(row_bytes(swizzle)) / 16 - 1;  // bits 4.. are permuted by bits 7..
    return address ^ ((address >> 7 & chunks) << 4);
}

// Of a tile [rows][128 bytes] that begins at a multiple of 1024: for kernels that write or read one by hand.
STRATA_HD constexpr int swizzled_offset(int row, int byte) { return int(swizzled(std::uint32_t(row * 128 + byte))); }

struct MatrixDescriptor {
    std::uint32_t start = 0;    // bytes, of the shared memory window; 18 bits, a multiple of 16
    std::uint32_t leading = 0;  // bytes
    std::uint32_t stride = 0;   // bytes
    Swizzle swizzle = Swizzle::bytes_128;
    int base_offset = 0;  // where a tile does not begin at the multiple that its swizzle needs; ours always do
};

STRATA_HD constexpr std::uint64_t encoded(const MatrixDescriptor& d) {
    return std::uint64_t(d.start >> 4 & 0x3FFF) | std::uint64_t(d.leading >> 4 & 0x3FFF) << 16 |
           std::uint64_t(d.stride >> 4 & 0x3FFF) << 32 | std::uint64_t(d.base_offset & 7) << 49 |
           std::uint64_t(d.swizzle) << 62;
}

STRATA_HD constexpr MatrixDescriptor decoded(std::uint64_t bits) {
    return {.start = std::uint32_t(bits & 0x3FFF) << 4,
            .leading = std::uint32_t(bits >> 16 & 0x3FFF) << 4,
            .stride = std::uint32_t(bits >> 32 & 0x3FFF) << 4,
            .swizzle = Swizzle(int(bits >> 62)),
            .base_offset = int(bits >> 49 & 7)};
}

STRATA_HD constexpr std::uint64_t k_major_descriptor(std::uint32_t start, Swizzle swizzle = Swizzle::bytes_128) {
    return encoded(
        {.start = start, .leading = 16, .stride = std::uint32_t(8 * row_bytes(swizzle)), .swizzle = swizzle});
}

STRATA_HD constexpr std::uint64_t mn_major_descriptor(std::uint32_t start, std::uint32_t leading,
                                                      Swizzle swizzle = Swizzle::bytes_128) {
    return encoded(
        {.start = start, .leading = leading, .stride = std::uint32_t(8 * row_bytes(swizzle)), .swizzle = swizzle});
}

// The same matrix some bytes further.
STRATA_HD constexpr std::uint64_t advanced(std::uint64_t descriptor, std::uint32_t bytes) {
    return descriptor + (bytes >> 4);
}

// Where the element at (row of M or N, k) of the matrix lies, `size` bytes an element.
STRATA_HD constexpr std::uint32_t k_major_address(const MatrixDescriptor& d, int row, int k, int size) {
    return swizzled(
        d.start + std::uint32_t(row % 8 * row_bytes(d.swizzle) + k * size) + std::uint32_t(row / 8) * d.stride,
        d.swizzle);
}

STRATA_HD constexpr std::uint32_t mn_major_address(const MatrixDescriptor& d, int row, int k, int size) {
    const int across = row_bytes(d.swizzle) / size;  // elements of a row
    return swizzled(d.start + std::uint32_t(k % 8 * row_bytes(d.swizzle) + row % across * size) +
                        std::uint32_t(k / 8) * d.stride + std::uint32_t(row / across) * d.leading,
                    d.swizzle);
}

}  // namespace strata
