// The references of storage formats and of accumulators against closed forms and numbers worked out by hand.
#include "kernels/quant/formats_reference.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "kernels/quant/accumulation_reference.hpp"

namespace strata {
namespace {

constexpr Precision kAll[] = {Precision::bf16,  Precision::fp8_block, Precision::fp8_tile,  Precision::fp4_block,
                              Precision::mxfp8, Precision::nvfp4,     Precision::fp8_tensor};

// Signal to noise of numbers spread evenly over [from, to).
double snr(double from, double to, const std::function<double(double)>& stored) {
    constexpr int kPoints = 1 << 18;
    double signal = 0, noise = 0;
    for (int i = 0; i < kPoints; ++i) {
        const double x = from + (to - from) * (i + 0.5) / kPoints;
        signal += x * x, noise += (x - stored(x)) * (x - stored(x));
    }
    return signal / noise;
}

std::vector<double> values_of(const reference::Stored& stored, long rows) {
    std::vector<double> values;
    for (long row = 0; row < rows; ++row)
        for (long x = 0; x < stored.width; ++x) values.push_back(stored.value(row, x));
    return values;
}

TEST(Formats, e2m1_has_eight_magnitudes_rounds_ties_to_even_and_saturates) {
    for (const double exact : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0}) {
        EXPECT_EQ(reference::nearest_e2m1(exact), exact);
        EXPECT_EQ(reference::nearest_e2m1(-exact), -exact);
    }
    EXPECT_EQ(reference::nearest_e2m1(0.25), 0);  // ties: to the even code
    EXPECT_EQ(reference::nearest_e2m1(0.75), 1);
    EXPECT_EQ(reference::nearest_e2m1(1.75), 2);
    EXPECT_EQ(reference::nearest_e2m1(2.5), 2);
    EXPECT_EQ(reference::nearest_e2m1(3.5), 4);
    EXPECT_EQ(reference::nearest_e2m1(-5), -4);
    EXPECT_EQ(reference::nearest_e2m1(5.01), 6);
    EXPECT_EQ(reference::nearest_e2m1(1e9), 6);
}

// Within an interval of equal steps a format is a uniform quantiser: noise is step^2 / 12.
TEST(Formats, have_the_noise_of_a_uniform_quantiser_where_steps_are_equal) {
    // E2M1 in [-2, 2]: step 1/2, signal 4/3: (4/3) / (1/48) = 64, that is 18.06 dB.
    EXPECT_NEAR(snr(-2, 2, reference::nearest_e2m1), 64, 0.01);
    // E4M3 in [256, 448]: step 32; signal (448^3 - 256^3) / (3 * 192) = 126976.
    EXPECT_NEAR(snr(256, 448, reference::nearest_e4m3), 126976 / (32.0 * 32 / 12), 1);
    // BF16 in [1, 2]: step 2^-7; signal 7/3: 28 * 2^14, that is 56.6 dB.
    const auto bf16 = [](double x) { return double(to_float(to_bf16(float(x)))); };
    EXPECT_NEAR(snr(1, 2, bf16) / (28 * 16384), 1, 1e-3);
}

TEST(Formats, keep_what_they_can_represent) {
    // Both halves of every tile hold 448 (or 6) times a power of two, so that scales are powers of two everywhere.
    const auto expect_kept = [](Precision format, const std::vector<double>& codes) {
        std::vector<double> in;
        for (std::size_t i = 0; i < 2 * 128; ++i) in.push_back(0.25 * codes[i % codes.size()]);
        EXPECT_EQ(values_of(reference::stored(in, 2, 128, format), 2), in) << int(format);
    };
    for (const Precision format : kAll) {
        const bool fp4 = format == Precision::fp4_block || format == Precision::nvfp4;
        expect_kept(format, fp4 ? std::vector<double>{6, -0.5, 0, 3, -1.5, 1, 4, -6}
                                : std::vector<double>{448, -0x1p-9, 0, 416, -13, 1.875, 0x1p-6, -448});
    }
}

TEST(Formats, store_zeros_as_zeros) {
    for (const Precision format : kAll)
        EXPECT_EQ(values_of(reference::stored(std::vector<double>(128), 1, 128, format), 1), std::vector<double>(128));
}

TEST(Mxfp4, takes_the_power_of_two_that_lets_nothing_saturate) {
    std::vector<double> in(64, 1.0);
    in[0] = 6, in[32] = 6.01;
    const reference::Stored stored = reference::stored(in, 1, 64, Precision::fp4_block);
    EXPECT_EQ(stored.scales, (std::vector<double>{1, 2}));
    EXPECT_EQ(stored.codes[32], 3);  // 6.01 / 2, not a clipped 6
    EXPECT_EQ(reference::stored(std::vector<double>(32, 1.0), 1, 32, Precision::fp4_block).scales[0], 0.25);
}

TEST(Nvfp4, has_e4m3_scales_below_one_of_the_tensor) {
    std::vector<double> in(32, 0.0);
    in[0] = 2688 * 3, in[16] = 6;  // 448 * 6 * 3: the tensor's scale is 3
    const reference::Stored stored = reference::stored(in, 1, 32, Precision::nvfp4);
    EXPECT_DOUBLE_EQ(stored.tensor_scale, 3);
    EXPECT_EQ(stored.scales[0], 448);
    EXPECT_EQ(stored.scales[1], 0.34375);  // 6 / 6 / 3 = 0.3333 is nearest to 11/32 in E4M3
    EXPECT_EQ(stored.value(0, 0), in[0]);
    EXPECT_DOUBLE_EQ(stored.value(0, 16), 6 * 0.34375 * 3);  // 6 / 1.03125 is nearest to 6
    in[16] = 1e-3;                                           // below half of the smallest scale: 2^-10 * 3 * 6 = 0.0176
    EXPECT_EQ(reference::stored(in, 1, 32, Precision::nvfp4).value(0, 16), 0);
}

TEST(LimitedAccumulator, keeps_fourteen_bits_below_the_largest_and_cuts_toward_zero) {
    EXPECT_EQ(reference::limited_sum(std::vector<double>{1, 0x1p-13}), 1 + 0x1p-13);
    EXPECT_EQ(reference::limited_sum(std::vector<double>{1, 0x1.8p-13}), 1 + 0x1p-13);
    EXPECT_EQ(reference::limited_sum(std::vector<double>{1, -0x1.8p-13}), 1 - 0x1p-13);
    EXPECT_EQ(reference::limited_sum(std::vector<double>{-1, 0x1p-14}), -1);
    EXPECT_EQ(reference::limited_sum(std::vector<double>(40, 0.0)), 0);
    // The sum is a part of what is aligned: 32 products of 2^-14 are lost beside a sum of 1, and kept alone.
    std::vector<double> products(64, 0x1p-14);
    EXPECT_EQ(reference::limited_sum(products), 0x1p-8);
    products[0] = 1;
    EXPECT_EQ(reference::limited_sum(products), 1);
    EXPECT_EQ(reference::fp32_sum(products), 1 + 63 * 0x1p-14);
}

double promoted_sum(const std::vector<double>& products) {
    float sum = 0;
    for (std::size_t first = 0; first < products.size(); first += reference::kPromotedEvery)
        sum += float(reference::limited_sum(std::span(products).subspan(first, reference::kPromotedEvery)));
    return sum;
}

// Positive E4M3 numbers: nothing cancels, and the sum soon outgrows every product.
TEST(LimitedAccumulator, fails_on_16384_positive_products_unless_promoted_every_128) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::vector<double> products;
    double exact = 0;
    for (int i = 0; i < 16384; ++i) {
        products.push_back(reference::nearest_e4m3(448 * uniform(random)) *
                           reference::nearest_e4m3(448 * uniform(random)));
        exact += products.back();
    }
    EXPECT_LT(reference::limited_sum(products), 0.9 * exact);
    EXPECT_NEAR(promoted_sum(products) / exact, 1, 1e-3);
    EXPECT_NEAR(reference::fp32_sum(products) / exact, 1, 1e-5);
}

// DeepSeek-V3, section 3.3.2: two random matrices with K = 4096 gave a maximum relative error of nearly 2 %. What it is
// relative to and of how many results is not said; here of 256, to their root mean square. Cutting downwards: 20 %.
TEST(LimitedAccumulator, is_off_by_the_order_of_the_reported_two_percent_at_4096_random_products) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    double worst = 0, square = 0;
    for (int dot = 0; dot < 256; ++dot) {
        std::vector<double> products;
        double exact = 0;
        for (int i = 0; i < 4096; ++i) {
            products.push_back(reference::nearest_e4m3(64 * normal(random)) *
                               reference::nearest_e4m3(64 * normal(random)));
            exact += products.back();
        }
        worst = std::max(worst, std::abs(reference::limited_sum(products) - exact));
        square += exact * exact / 256;
    }
    EXPECT_GT(worst / std::sqrt(square), 0.003);
    EXPECT_LT(worst / std::sqrt(square), 0.03);
}

}  // namespace
}  // namespace strata
