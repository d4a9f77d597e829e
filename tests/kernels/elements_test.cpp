#include "kernels/elements.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/quant/quantise_reference.hpp"

namespace strata {
namespace {

TEST(E4m3, every_code_survives_a_round_trip) {
    for (int code = 0; code < 256; ++code) {
        const E4m3 e4m3{std::uint8_t(code)};
        if ((code & 0x7F) == 0x7F)
            EXPECT_TRUE(std::isnan(to_float(e4m3)));
        else
            EXPECT_EQ(to_e4m3(to_float(e4m3)).bits, code);
    }
    EXPECT_EQ(to_float(E4m3{0x7E}), 448.0f);
    EXPECT_EQ(to_float(E4m3{0x01}), 0x1p-9f);
}

// nearest_e4m3 rounds by arithmetic, to_e4m3 by bits.
TEST(E4m3, rounds_to_the_nearest_and_ties_to_even) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 2'000'000; ++i) {
        const float x =
            std::ldexp(float(random() >> 40) / (1 << 24), int(random() % 24) - 12) * (random() & 1 ? 1 : -1);
        ASSERT_EQ(to_float(to_e4m3(x)), float(reference::nearest_e4m3(x))) << x;
    }
    for (int code = 0; code < 0x7E; ++code) {  // every tie
        const float tie = (to_float(E4m3{std::uint8_t(code)}) + to_float(E4m3{std::uint8_t(code + 1)})) / 2;
        EXPECT_EQ(to_e4m3(tie).bits, code % 2 == 0 ? code : code + 1);
    }
}

TEST(E4m3, saturates_and_keeps_nan) {
    for (const float x : {449.0f, 1e9f, INFINITY}) EXPECT_EQ(to_e4m3(x).bits, 0x7E);
    EXPECT_EQ(to_e4m3(-INFINITY).bits, 0xFE);
    EXPECT_EQ(to_e4m3(NAN).bits, 0x7F);
}

TEST(Bf16, rounds_to_nearest_even) {
    EXPECT_EQ(to_float(to_bf16(1.0f + 0x1p-8f)), 1.0f);  // a tie goes to the even one
    EXPECT_EQ(to_float(to_bf16(1.0f + 3 * 0x1p-8f)), 1.0f + 0x1p-6f);
    EXPECT_EQ(to_float(to_bf16(1.0f + 0x1.02p-8f)), 1.0f + 0x1p-7f);
    EXPECT_TRUE(std::isinf(to_float(to_bf16(3.4e38f))));
    EXPECT_TRUE(std::isnan(to_float(to_bf16(NAN))));
}

TEST(Ue8m0, is_the_smallest_power_of_two_not_below) {
    EXPECT_EQ(power_of_two_above(1.0f), 1.0f);
    EXPECT_EQ(power_of_two_above(1.0000001f), 2.0f);
    EXPECT_EQ(power_of_two_above(0.75f), 1.0f);
    for (int exponent = -126; exponent < 127; ++exponent)
        EXPECT_EQ(to_float(to_ue8m0(std::ldexp(1.0f, exponent))), std::ldexp(1.0f, exponent));
}

}  // namespace
}  // namespace strata
