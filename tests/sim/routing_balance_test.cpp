#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/routing/bias_balancing.hpp"

namespace strata {
namespace {

TEST(BiasBalancing, moves_against_the_load) {
    std::vector<double> bias{0, 0, 0.5};
    update_bias(bias, std::vector<std::int64_t>{30, 10, 20}, 0.001);
    EXPECT_EQ(bias, (std::vector{-0.001, 0.001, 0.5}));
    EXPECT_THROW(update_bias(bias, std::vector<std::int64_t>{1}, 0.001), std::logic_error);
}

TEST(BiasBalancing, max_over_mean_of_loads) {
    EXPECT_EQ(max_over_mean(std::vector<std::int64_t>{30, 10, 20}), 1.5);
    EXPECT_EQ(max_over_mean(std::vector<std::int64_t>{0, 0}), 1);
}

// V3's router and V4's, 128 tokens of each of 384 ranks, from a Zipf law.
std::vector<double> balanced_from(double exponent, Score score, int steps) {
    ScoreRouting routing({.router = {.experts = 256, .top_k = 8, .score = score},
                          .tokens = 128 * 384,
                          .popularity = {.law = PopularityLaw::zipf, .exponents = {exponent}},
                          .seed = 1});
    return balance(routing, 0, 0, steps);
}

TEST(BiasBalancing, balances_a_power_law_and_stays_balanced) {
    for (const Score score : {Score::sigmoid, Score::sqrt_softplus}) {
        const auto over_time = balanced_from(1.0, score, 1500);
        EXPECT_GT(over_time.front(), 10);
        EXPECT_GT(over_time[100], 5);  // it takes hundreds of steps at the published rate
        // 1536 tokens an expert: the largest of 256 is 3 sigma = 7.5 % above the mean by chance alone.
        EXPECT_LT(*std::max_element(over_time.end() - 300, over_time.end()), 1.2);
    }
}

TEST(BiasBalancing, the_steeper_the_law_the_longer_it_takes) {
    const auto first_below = [](const std::vector<double>& over_time) {
        return std::ranges::find_if(over_time, [](double ratio) { return ratio < 1.2; }) - over_time.begin();
    };
    const auto flat = first_below(balanced_from(0.3, Score::sigmoid, 1000));
    const auto steep = first_below(balanced_from(1.0, Score::sigmoid, 1000));
    EXPECT_LT(flat, 300);
    EXPECT_LT(steep, 1000);
    EXPECT_GT(steep, 1.5 * double(flat));
}

TEST(BiasBalancing, balances_under_a_group_limit) {
    ScoreRouting routing({.router = {.experts = 64, .top_k = 8, .limit = {.groups = 8, .kept = 4}},
                          .tokens = 49152,
                          .popularity = {.law = PopularityLaw::zipf, .exponents = {0.7}},
                          .seed = 2,
                          .pilot_tokens = 256});
    const auto over_time = balance(routing, 0, 0, 500, 0.002);
    EXPECT_GT(over_time.front(), 2);
    EXPECT_LT(over_time.back(), 1.2);
}

TEST(BiasBalancing, without_a_rate_nothing_changes) {
    ScoreRouting routing({.router = {.experts = 32, .top_k = 4},
                          .tokens = 10000,
                          .popularity = {.law = PopularityLaw::zipf, .exponents = {1.0}}});
    const auto over_time = balance(routing, 0, 0, 50, 0);
    EXPECT_NEAR(over_time.back(), over_time.front(), 0.2);
}

}  // namespace
}  // namespace strata
