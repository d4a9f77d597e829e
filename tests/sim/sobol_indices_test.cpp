#include "sim/search/sobol_indices.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace strata {
namespace {

// f = sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1, x in (-pi, pi): Ishigami and Homma (1990). With a = 7, b = 0.1
//   V = a^2/8 + b pi^4/5 + b^2 pi^8/18 + 1/2, V1 = (1 + b pi^4/5)^2 / 2, V2 = a^2/8, V13 = b^2 pi^8 (1/18 - 1/50)
TEST(SobolIndices, of_the_ishigami_function_are_those_that_are_known) {
    const auto ishigami = [](const std::vector<double>& u) {
        const auto x = [&](std::size_t i) { return std::numbers::pi * (2 * u[i] - 1); };
        return std::sin(x(0)) + 7 * std::pow(std::sin(x(1)), 2) + 0.1 * std::pow(x(2), 4) * std::sin(x(0));
    };
    const SobolResult found = sobol_indices(ishigami, 3, {.samples = 20000, .bootstraps = 100, .seed = 3});
    const double p4 = std::pow(std::numbers::pi, 4), p8 = p4 * p4;
    const double v1 = std::pow(1 + 0.1 * p4 / 5, 2) / 2, v2 = 49.0 / 8, v13 = 0.01 * p8 * (1.0 / 18 - 1.0 / 50);
    const double all = v1 + v2 + v13;
    EXPECT_NEAR(found.variance / all, 1, 0.02);
    const double first[] = {v1 / all, v2 / all, 0}, total[] = {(v1 + v13) / all, v2 / all, v13 / all};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(found.inputs[i].first, first[i], 0.03) << i;
        EXPECT_NEAR(found.inputs[i].total, total[i], 0.03) << i;
        EXPECT_LE(found.inputs[i].first_low, first[i] + 0.005) << i;
        EXPECT_GE(found.inputs[i].first_high, first[i] - 0.005) << i;
        EXPECT_LE(found.inputs[i].total_low, total[i] + 0.005) << i;
        EXPECT_GE(found.inputs[i].total_high, total[i] - 0.005) << i;
    }
    EXPECT_EQ(found.evaluations, 100000u);
}

// f = 100 + 3 x1 + 2 x2 + x3: no interactions, shares 9/14, 4/14 and 1/14; an input that does nothing has none.
TEST(SobolIndices, of_a_sum_are_the_shares_of_its_terms_whatever_its_mean) {
    const auto sum = [](const std::vector<double>& u) { return 100 + 3 * u[0] + 2 * u[1] + u[2]; };
    const SobolResult found = sobol_indices(sum, 4, {.samples = 20000, .bootstraps = 50});
    const double shares[] = {9.0 / 14, 4.0 / 14, 1.0 / 14, 0};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(found.inputs[i].first, shares[i], 0.02) << i;
        EXPECT_NEAR(found.inputs[i].total, shares[i], 0.02) << i;
    }
    EXPECT_EQ(found.inputs[3].total, 0);
    EXPECT_NEAR(found.mean, 103, 0.05);
}

TEST(SobolIndices, of_a_constant_are_zero_and_no_division_by_it) {
    const SobolResult found = sobol_indices([](const auto&) { return 5.0; }, 2, {.samples = 16, .bootstraps = 4});
    EXPECT_EQ(found.variance, 0);
    EXPECT_EQ(found.inputs[0].first, 0);
    EXPECT_EQ(found.inputs[1].total_high, 0);
}

TEST(NormalQuantile, is_that_of_tables) {
    EXPECT_NEAR(normal_quantile(0.9), 1.281551566, 1e-8);
    EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
    EXPECT_NEAR(normal_quantile(0.025), -1.959963985, 1e-8);
}

}  // namespace
}  // namespace strata
