#include "kernels/simt/swizzle.hpp"

#include <gtest/gtest.h>

#include <set>

namespace strata {
namespace {

// Row r of a 128-byte tile has its 16-byte chunks exchanged by XOR with r % 8: chunk 3 of row 5 goes to place 3 ^ 5
// = 6.
TEST(Swizzle, exchanges_the_chunks_of_a_row_by_its_number) {
    EXPECT_EQ(swizzled_offset(5, 3 * 16 + 7), 5 * 128 + 6 * 16 + 7);
    EXPECT_EQ(swizzled_offset(13, 0), 13 * 128 + 5 * 16);
    // 64-byte rows: two of them share 128 bytes, and the number of the pair, of four, permutes four chunks.
    EXPECT_EQ(swizzled(4 * 64 + 16, Swizzle::bytes_64), 4u * 64 + (1 ^ 2) * 16);
    EXPECT_EQ(swizzled(4 * 32, Swizzle::bytes_32), 4u * 32 + 16);
    EXPECT_EQ(swizzled(12345, Swizzle::none), 12345u);
}

TEST(Swizzle, moves_every_byte_to_a_place_of_its_own_within_the_eight_rows) {
    for (const Swizzle swizzle : {Swizzle::bytes_128, Swizzle::bytes_64, Swizzle::bytes_32}) {
        std::set<std::uint32_t> places;
        for (std::uint32_t byte = 0; byte < 1024; ++byte) {
            places.insert(swizzled(byte, swizzle));
            EXPECT_EQ(swizzled(swizzled(byte, swizzle), swizzle), byte);
        }
        EXPECT_EQ(places.size(), 1024u);
        EXPECT_EQ(*places.rbegin(), 1023u);
    }
}

// What the swizzle is for: the same chunk of eight rows touches all 32 banks, four bytes each.
TEST(Swizzle, a_column_of_chunks_has_no_bank_conflict) {
    std::set<int> banks;
    for (int row = 0; row < 8; ++row)
        for (int word = 0; word < 4; ++word) banks.insert(swizzled_offset(row, 32 + 4 * word) / 4 % 32);
    EXPECT_EQ(banks.size(), 32u);
}

// Fields of the PTX ISA: start in bits 0-13, leading in 16-29, stride in 32-45, base offset in 49-51, swizzle in 62-63,
// lengths without their lowest four bits.
TEST(MatrixDescriptor, has_its_fields_where_the_hardware_looks) {
    const std::uint64_t bits = encoded({.start = 0x12340, .leading = 0x800, .stride = 1024, .base_offset = 5});
    EXPECT_EQ(bits & 0x3FFF, 0x1234u);
    EXPECT_EQ(bits >> 16 & 0x3FFF, 0x80u);
    EXPECT_EQ(bits >> 32 & 0x3FFF, 64u);
    EXPECT_EQ(bits >> 49 & 7, 5u);
    EXPECT_EQ(bits >> 62, 1u);
    EXPECT_EQ(bits & ~(0x3FFFull | 0x3FFFull << 16 | 0x3FFFull << 32 | 7ull << 49 | 3ull << 62), 0u);
    const MatrixDescriptor back = decoded(bits);
    EXPECT_EQ(back.start, 0x12340u);
    EXPECT_EQ(back.leading, 0x800u);
    EXPECT_EQ(back.stride, 1024u);
    EXPECT_EQ(back.base_offset, 5);
    EXPECT_EQ(back.swizzle, Swizzle::bytes_128);
}

TEST(MatrixDescriptor, advances_along_k_without_touching_the_other_fields) {
    const std::uint64_t from = k_major_descriptor(227 * 1024);
    EXPECT_EQ(decoded(advanced(from, 96)).start, 227u * 1024 + 96);
    EXPECT_EQ(advanced(from, 96) >> 14, from >> 14);
}

// Row 9 of a K-major tile of BF16 is in the second group of eight; element 20 begins at byte 40, in chunk 2.
TEST(MatrixDescriptor, finds_elements_of_both_orders) {
    const MatrixDescriptor k_major = decoded(k_major_descriptor(4096));
    EXPECT_EQ(k_major_address(k_major, 9, 20, 2), 4096u + 1024 + 128 + (2 ^ 1) * 16 + 8);
    // Column 70 is the sixth of the second block of 64; k = 11 is row 3 of the second group.
    const MatrixDescriptor mn_major = decoded(mn_major_descriptor(4096, 8192));
    EXPECT_EQ(mn_major_address(mn_major, 70, 11, 2), 4096u + 8192 + 1024 + 3 * 128 + (0 ^ 3) * 16 + 12);
}

}  // namespace
}  // namespace strata
