#include "sim/search/ranking.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace strata {
namespace {

double normal_below(double score) { return std::erfc(-score / std::sqrt(2.0)) / 2; }

// A family whose time is lognormal with this standard deviation of its logarithm.
PathTime uncertain(const std::string& family, double ms, double deviation) {
    const double spread = std::exp(1.2815515655446004 * deviation);
    return {.family = family, .origin = "transferred", .ms = ms, .p10_ms = ms / spread, .p90_ms = ms * spread};
}

TEST(Ranking, of_two_points_on_two_devices_is_that_of_two_independent_normals) {
    const CriticalPath a{"A", {uncertain("gemm_fp8", 10, 0.1)}}, b{"B", {uncertain("gemm_fp8", 10, 0.2)}};
    // ln of the ratio: mean ln 1.2, deviation hypot(0.1, 0.2); its share of B is 4/5.
    const auto found = certainty_of({120, &a}, {100, &b});
    ASSERT_TRUE(found);
    EXPECT_NEAR(found->first_ahead, normal_below(std::log(1.2) / std::hypot(0.1, 0.2)), 0.01);
    EXPECT_EQ(found->settled_by, "gemm_fp8 (transferred) on B");
    EXPECT_NEAR(found->settled_share, 0.8, 0.04);
    EXPECT_NEAR(std::log1p(found->p90), std::log(1.2) + 1.28155 * std::hypot(0.1, 0.2), 0.01);
}

// Half of each step is the same table's, the other halves are not: a correlation of 1/2. For small deviations the
// logarithm of a step's time is half the sum of the two, so the difference is half of z2 - z3.
TEST(Ranking, of_points_with_a_common_table_is_that_of_correlated_normals) {
    const CriticalPath a{"H", {uncertain("moe_experts", 5, 0.02), uncertain("csa_generation", 5, 0.02)}};
    const CriticalPath b{"H", {uncertain("moe_experts", 5, 0.02), uncertain("dsa_generation", 5, 0.02)}};
    const auto found = certainty_of({1.01, &a}, {1, &b});
    ASSERT_TRUE(found);
    EXPECT_NEAR(found->first_ahead, normal_below(std::log(1.01) / (0.5 * 0.02 * std::sqrt(2.0))), 0.01);
    // Were nothing common, it would be less sure.
    const CriticalPath elsewhere{"B", b.times};
    const double independent = certainty_of({1.01, &a}, {1, &elsewhere})->first_ahead;
    EXPECT_NEAR(independent, normal_below(std::log(1.01) / 0.02), 0.01);
    EXPECT_GT(found->first_ahead, independent + 0.03);
}

TEST(Ranking, says_nothing_where_all_errors_are_common_or_none_is_known) {
    const CriticalPath a{"H", {uncertain("gemm_fp8", 10, 0.3)}}, b{"H", {uncertain("gemm_fp8", 7, 0.3)}};
    EXPECT_FALSE(certainty_of({10, &a}, {14, &b}));  // whatever the table is off by, b stays 1.4 times as fast
    const CriticalPath exact{"H", {{.family = "wire", .origin = "modelled", .ms = 4, .p10_ms = 4, .p90_ms = 4}}};
    EXPECT_FALSE(certainty_of({1, &exact}, {2, &exact}));
    EXPECT_EQ(exact.unknown_share(), 1);
}

TEST(Ranking, a_band_that_is_not_symmetric_keeps_its_median_and_its_tenths) {
    EXPECT_EQ(split_lognormal(0, 0.9, 1.5), 1);
    EXPECT_NEAR(split_lognormal(1.2815515655446004, 0.9, 1.5), 1.5, 1e-12);
    EXPECT_NEAR(split_lognormal(-1.2815515655446004, 0.9, 1.5), 0.9, 1e-12);
}

}  // namespace
}  // namespace strata
