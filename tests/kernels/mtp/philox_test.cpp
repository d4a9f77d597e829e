#include "kernels/mtp/philox.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

void expect_words(const PhiloxCounter& is, std::initializer_list<std::uint32_t> should) {
    int i = 0;
    for (const std::uint32_t word : should) EXPECT_EQ(is.at[i++], word);
}

// The known answers of Random123 (Salmon et al.) for philox4x32 with ten rounds.
TEST(Philox, gives_the_published_words) {
    expect_words(philox({{0, 0, 0, 0}}, {{0, 0}}), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    expect_words(philox({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, {{0xffffffff, 0xffffffff}}),
                 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    expect_words(philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}}),
                 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST(Philox, unit_numbers_stay_below_one) {
    EXPECT_EQ(unit_float(0), 0);
    EXPECT_LT(unit_float(0xFFFFFFFF), 1.0f);
    EXPECT_EQ(unit_float(0x80000000), 0.5f);
    EXPECT_LT(unit_double(0xFFFFFFFF, 0xFFFFFFFF), 1.0);
    EXPECT_EQ(unit_double(0x40000000, 0), 0.25);
}

}  // namespace
}  // namespace strata
