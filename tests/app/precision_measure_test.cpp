// What `strata measure precision` measures with: data of the shapes that it names, errors worked out by hand, and dot
// products whose sums are kept in different ways.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "app/measure/precision.hpp"

namespace strata {
namespace {

double moment(const std::vector<double>& data, int power) {
    double sum = 0;
    for (const double x : data) sum += std::pow(x, power);
    return sum / double(data.size());
}

TEST(PrecisionData, has_the_shape_that_it_names_and_is_the_same_for_the_same_seed) {
    const std::vector<double> normal = data_of(DataShape::normal, 64, 4096, 1);
    EXPECT_EQ(normal, data_of(DataShape::normal, 64, 4096, 1));
    EXPECT_NE(normal, data_of(DataShape::normal, 64, 4096, 2));
    EXPECT_NEAR(moment(normal, 2), 1, 0.01);
    EXPECT_NEAR(moment(normal, 4), 3, 0.1);
    // Student's t of 4 degrees: variance 4 / (4 - 2), and 0.85 % beyond 4.604 on either side (its 99.5 % quantile).
    const std::vector<double> heavy = data_of(DataShape::heavy_tailed, 64, 4096, 1);
    EXPECT_NEAR(moment(heavy, 2), 2, 0.1);
    EXPECT_NEAR(
        double(std::ranges::count_if(heavy, [](double x) { return std::abs(x) > 4.604; })) / double(heavy.size()), 0.01,
        0.001);
    const std::vector<double> positive = data_of(DataShape::positive, 64, 4096, 1);
    EXPECT_GT(*std::ranges::min_element(positive), 0);
    EXPECT_NEAR(moment(positive, 1), 0.5, 0.01);
    // 8 of 4096 channels have 400 times the variance: 1 + 8 / 4096 * 399.
    const std::vector<double> outliers = data_of(DataShape::outlier_channels, 64, 4096, 1);
    EXPECT_NEAR(moment(outliers, 2), 1 + 399.0 / 512, 0.15);
    EXPECT_EQ(outliers[17], 20 * data_of(DataShape::normal, 64, 4096, 1)[17]);
}

TEST(StorageErrors, are_those_of_numbers_worked_out_by_hand) {
    // Squares: 100 + 25 against errors 1 + 0: 10 log10(125); 9 instead of 10 is off by a tenth, and one of four is
    // lost.
    const std::vector<double> values{10, 5, 0, 1e-3}, stored{9, 5, 0, 0};
    const StorageError error = storage_error(Precision::bf16, DataShape::normal, values, stored);
    EXPECT_NEAR(error.snr_db, 10 * std::log10(125), 1e-4);
    EXPECT_DOUBLE_EQ(error.max_relative_error, 0.1);
    EXPECT_DOUBLE_EQ(error.flushed_share, 0.25);
    EXPECT_TRUE(std::isinf(storage_error(Precision::bf16, DataShape::normal, values, values).snr_db));
}

TEST(DotErrors, grow_with_k_where_one_accumulator_holds_a_positive_sum_and_not_where_it_is_promoted) {
    const auto error = [](Accumulation accumulation, long k) {
        return dot_error(DataShape::positive, Precision::fp8_tensor, Precision::fp8_tensor, accumulation, k, 1);
    };
    const double single = error(Accumulation::hopper_fp8, 16384).relative_error;
    EXPECT_GT(single, 0.1);
    EXPECT_GT(error(Accumulation::hopper_fp8, 65536).relative_error, single);
    const DotError promoted = error(Accumulation::hopper_fp8_promoted, 16384);
    EXPECT_LT(promoted.relative_error, 2e-3);
    EXPECT_LT(promoted.accumulation_error, 1e-3);
    EXPECT_GT(promoted.accumulation_error, error(Accumulation::fp32, 16384).accumulation_error);
    EXPECT_GE(promoted.max_relative_error, promoted.relative_error);
}

// Errors of two independent operands add as squares: each has 10^(-SNR/20) of noise.
TEST(DotErrors, of_random_numbers_are_those_of_their_elements) {
    const DotError error =
        dot_error(DataShape::normal, Precision::fp8_tile, Precision::fp8_block, Accumulation::fp32, 16384, 1);
    EXPECT_NEAR(error.relative_error, std::hypot(std::pow(10, -31.79 / 20), std::pow(10, -31.55 / 20)), 0.005);
    EXPECT_LT(error.accumulation_error, 1e-5);
}

// MXFP4 has 18.76 dB here; widening it to FP8 adds nothing as long as the scales of a tile are within 2^14.
TEST(DotErrors, of_mxfp4_are_those_of_its_storage) {
    const DotError error =
        dot_error(DataShape::normal, Precision::bf16, Precision::fp4_block, Accumulation::fp32, 16384, 1);
    EXPECT_NEAR(error.relative_error, std::pow(10, -18.76 / 20), 0.01);
}

TEST(DotErrors, of_tiles_with_scales_of_their_own_are_no_single_accumulator) {
    EXPECT_THROW(
        dot_error(DataShape::normal, Precision::fp8_tile, Precision::fp8_block, Accumulation::hopper_fp8, 64, 1),
        std::logic_error);
}

}  // namespace
}  // namespace strata
