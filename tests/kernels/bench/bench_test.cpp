#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "kernels/bench/catalog.hpp"
#include "kernels/bench/compare.hpp"
#include "kernels/bench/runner.hpp"
#include "kernels/bench/statistics.hpp"

namespace strata {
namespace {

TEST(Statistics, medians_and_deviations_by_pencil) {
    const Spread spread = spread_of({3, 1, 2, 100, 4});
    EXPECT_EQ(spread.median, 3);
    EXPECT_EQ(spread.min, 1);
    EXPECT_EQ(spread.mad, 1);  // of 2 1 0 1 97
    EXPECT_EQ(spread.mean, 22);
    EXPECT_NEAR(spread.deviation, 43.6177, 1e-4);
    EXPECT_THROW(spread_of({}), std::logic_error);
}

// Even samples 10, odd ones 11: 1 of 10.5.
TEST(Statistics, noise_is_the_difference_of_two_interleaved_halves) {
    EXPECT_NEAR(noise_of({10, 11, 10, 11, 10, 11}), 1 / 10.5, 1e-12);
    EXPECT_EQ(noise_of({10}), 0);
}

TEST(Compare, calc_diff_is_zero_for_equal_and_infinite_for_nan) {
    EXPECT_EQ(calc_diff({0, 0}, {0, 0}), 0);
    EXPECT_EQ(calc_diff({1, 2}, {1, 2}), 0);
    EXPECT_NEAR(calc_diff({1, 0}, {0, 1}), 1, 1e-12);
    EXPECT_TRUE(std::isinf(calc_diff({NAN}, {1})));
}

TEST(Compare, close_to_names_the_worst_element) {
    EXPECT_TRUE(close_to({1.0, 2.001}, {1, 2}, 0, 1e-3).pass);
    const Verdict verdict = close_to({1.0, 2.1}, {1, 2}, 0, 1e-3);
    EXPECT_FALSE(verdict.pass);
    EXPECT_NE(verdict.detail.find("worst at 1"), std::string::npos);
    EXPECT_FALSE(close_to({NAN}, {1}, 1, 1).pass);
    EXPECT_FALSE(close_to({1}, {1, 2}, 1, 1).pass);
}

TEST(Compare, rows_are_first_last_and_drawn_each_once) {
    EXPECT_EQ(rows_to_compare(3, 10, 1), (std::vector<std::int64_t>{0, 1, 2}));
    const auto rows = rows_to_compare(1'000'000, 16, 1);
    EXPECT_EQ(rows.size(), 16u);
    EXPECT_EQ(rows.front(), 0);
    EXPECT_EQ(rows.back(), 999'999);
    EXPECT_TRUE(rows_to_compare(0, 10, 1).empty());
}

// Three times an L2 of 60 MB by sets of 20 MB: ten sets; of 1 MB it would be 181, so it is flushed instead.
TEST(Timing, operands_take_turns_or_the_l2_is_flushed) {
    EXPECT_EQ(cold_for(Bytes(20e6), 60'000'000, 1LL << 37).sets, 10);
    EXPECT_FALSE(cold_for(Bytes(20e6), 60'000'000, 1LL << 37).flush);
    EXPECT_TRUE(cold_for(Bytes(1e6), 60'000'000, 1LL << 37).flush);
    EXPECT_TRUE(cold_for(Bytes(20e6), 60'000'000, 100'000'000).flush) << "no room for ten";
    EXPECT_EQ(cold_for(Bytes(1e9), 60'000'000, 1LL << 37).sets, 2);
    EXPECT_TRUE(cold_for(Bytes(0), 60'000'000, 1LL << 37).flush);
}

TEST(Catalog, every_kernel_is_complete_and_named_once) {
    std::set<std::string> names;
    for (const Kernel& kernel : every_kernel()) {
        EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name;
        EXPECT_FALSE(kernel.what.empty() || kernel.shapes.empty() || kernel.check_shapes.empty()) << kernel.name;
        EXPECT_TRUE(kernel.prepare && kernel.set_bytes) << kernel.name;
        EXPECT_LE(kernel.goal.share, 1) << kernel.name;
        EXPECT_TRUE(std::ifstream(STRATA_SOURCE_DIR "/" + kernel.source))
            << kernel.name << ": no file " << kernel.source;
        for (const ProductionShape& production : kernel.shapes) {
            EXPECT_GT(kernel.set_bytes(production.shape), Bytes(0)) << kernel.name;
            EXPECT_FALSE(production.models.empty()) << kernel.name << ": whose shape is " << production.shape.text();
        }
    }
    EXPECT_GE(names.size(), 2u);
}

TEST(Catalog, first_shapes_of_all_come_before_second_ones) {
    const std::vector<Kernel> kernels = every_kernel();
    const std::vector<Case> cases = cases_of(kernels, {});
    ASSERT_GT(cases.size(), kernels.size());
    for (std::size_t i = 0; i < kernels.size(); ++i) EXPECT_EQ(cases[i].shape, &kernels[i].shapes[0]);
    EXPECT_TRUE(cases_of(kernels, {"no such kernel"}).empty());
}

}  // namespace
}  // namespace strata
