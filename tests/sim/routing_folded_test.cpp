// Loads that are folded from inclusion probabilities, held against small cases worked out by hand and drawn tokens.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sim/routing/folded_loads.hpp"
#include "sim/routing/inclusion.hpp"
#include "sim/routing/limited_inclusion.hpp"
#include "sim/routing/score_routing.hpp"

namespace strata {
namespace {

// P(expert among the k first of a Plackett-Luce draw), by enumeration.
std::vector<double> enumerated(const std::vector<double>& weights, int k) {
    std::vector<double> included(weights.size(), 0.0);
    const auto draw = [&](const auto& self, std::vector<bool> taken, double chance, int left) -> void {
        double sum = 0;
        for (std::size_t e = 0; e < weights.size(); ++e) sum += taken[e] ? 0 : weights[e];
        for (std::size_t e = 0; e < weights.size() && left > 0; ++e) {
            if (taken[e]) continue;
            included[e] += chance * weights[e] / sum;
            auto then = taken;
            then[e] = true;
            self(self, then, chance * weights[e] / sum, left - 1);
        }
    };
    draw(draw, std::vector<bool>(weights.size(), false), 1, k);
    return included;
}

TEST(Inclusion, is_what_enumerating_all_draws_gives) {
    const std::vector<double> weights{8, 4, 2, 1, 1, 0.5, 0.25};
    for (const int k : {1, 2, 3, 5}) {
        const std::vector<double> expected = enumerated(weights, k);
        std::vector<double> normalised = weights;
        normalise_weights(normalised, k);
        const auto found = inclusion_probabilities({.experts = 7, .top_k = k}, normalised, {});
        for (std::size_t e = 0; e < weights.size(); ++e) EXPECT_NEAR(found[e], expected[e], 0.004) << k << " " << e;
    }
}

TEST(Inclusion, sums_to_top_k_and_is_even_for_even_weights) {
    const auto found = inclusion_probabilities({.experts = 256, .top_k = 8}, std::vector<double>(256, 3.0), {});
    EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), 8, 1e-9);
    for (const double p : found) EXPECT_NEAR(p, 8.0 / 256, 1e-12);
}

TEST(Inclusion, does_not_change_with_a_bias_that_all_share) {
    std::vector<double> weights{8, 4, 2, 1, 1, 0.5, 0.25};
    normalise_weights(weights, 3);
    const RouterRule rule{.experts = 7, .top_k = 3};
    const auto without = inclusion_probabilities(rule, weights, {});
    for (const double shared : {-0.4, 0.0, 0.4}) {
        const auto with = inclusion_probabilities(rule, weights, std::vector<double>(7, shared));
        for (std::size_t e = 0; e < weights.size(); ++e) EXPECT_NEAR(with[e], without[e], 1e-6);
    }
}

TEST(LimitedInclusion, is_how_often_drawn_tokens_choose) {
    // V3's rule: 8 of 256 by 4 of 8 groups. 100,000 tokens know a chance of 3 % within 1.8 %, one of 0.5 % within 4.5
    // %.
    const RouterRule rule{.experts = 256, .top_k = 8, .limit = {.groups = 8, .kept = 4}};
    SeededRandom random(12);
    std::vector<double> weights(256), bias(256), counted(256);
    for (std::size_t e = 0; e < 256; ++e) {
        weights[e] = std::exp(random.normal());
        bias[e] = 0.05 * random.normal();
    }
    normalise_weights(weights, 8);
    constexpr int tokens = 100000;
    std::vector<double> affinities(256);
    for (int token = 0; token < tokens; ++token) {
        for (std::size_t e = 0; e < 256; ++e)
            affinities[e] = affinity(Score::sigmoid, weights[e] / random.exponential());
        for (const int expert : chosen_experts(rule, affinities, bias)) counted[std::size_t(expert)] += 1.0 / tokens;
    }
    const auto found = limited_inclusion(rule, weights, bias, 4096, random);
    double squares = 0;
    for (std::size_t e = 0; e < 256; ++e) {
        EXPECT_NEAR(found[e], counted[e], 5 * std::sqrt(counted[e] / tokens) + 0.04 * counted[e]);
        squares += std::pow(found[e] / counted[e] - 1, 2) / 256;
    }
    EXPECT_LT(std::sqrt(squares), 0.04);
    EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), 8, 1e-9);
}

TEST(LimitedInclusion, knows_a_group_of_as_many_experts_as_its_value_takes) {
    // Two experts a group, one group kept, both chosen: the group with the larger sum. Even weights: half of the time.
    const RouterRule rule{.experts = 4, .top_k = 2, .limit = {.groups = 2, .kept = 1}};
    SeededRandom random(1);
    const auto found = limited_inclusion(rule, std::vector<double>(4, 0.7), {}, 4000, random);
    for (const double chance : found) EXPECT_NEAR(chance, 0.5, 0.02);
}

TEST(Inclusion, normalised_weights_expect_top_k_odds_above_one) {
    std::vector<double> weights{100, 1, 1, 1, 1, 1};
    normalise_weights(weights, 2);
    double expected = 0;
    for (const double w : weights) expected += 1 - std::exp(-w);
    EXPECT_NEAR(expected, 2, 1e-9);
    EXPECT_NEAR(weights[0] / weights[1], 100, 1e-9);
}

TEST(Binomial, has_its_mean_and_variance_on_both_ways) {
    // 20,000 draws: the mean is known within sigma / 141, so five of these are a band that chance leaves once in 10^6.
    for (const auto& [n, p] :
         std::vector<std::pair<std::int64_t, double>>{{50, 0.1}, {49152, 1e-4}, {49152, 0.03}, {400, 0.9}}) {
        SeededRandom random(7);
        double sum = 0, squares = 0;
        constexpr int draws = 20000;
        for (int i = 0; i < draws; ++i) {
            const double x = double(binomial(n, p, random));
            sum += x;
            squares += x * x;
        }
        const double mean = sum / draws, variance = squares / draws - mean * mean, expected = double(n) * p * (1 - p);
        EXPECT_NEAR(mean, double(n) * p, 5 * std::sqrt(expected / draws));
        EXPECT_NEAR(variance, expected, expected * 0.05);
    }
    SeededRandom random(1);
    EXPECT_EQ(binomial(10, 0, random), 0);
    EXPECT_EQ(binomial(10, 1, random), 10);
}

TEST(FoldedLoads, sum_to_all_pairs_and_give_no_expert_more_than_every_token) {
    const std::vector<double> inclusion{1, 0.9, 0.05, 0.05};
    SeededRandom random(3);
    for (int i = 0; i < 200; ++i) {
        const auto loads = folded_loads(inclusion, 2, 100, random);
        EXPECT_EQ(std::accumulate(loads.begin(), loads.end(), std::int64_t(0)), 200);
        EXPECT_EQ(loads[0], 100);  // certain
        for (const auto load : loads) EXPECT_LE(load, 100);
    }
}

// Mean and variance of each expert's load over steps, drawn token by token and folded.
struct Moments {
    std::vector<double> mean, variance;
};

template <class Loads>
Moments moments(int experts, int steps, Loads loads_of) {
    Moments m{std::vector<double>(std::size_t(experts)), std::vector<double>(std::size_t(experts))};
    for (int step = 0; step < steps; ++step) {
        const std::vector<std::int64_t> loads = loads_of(step);
        for (std::size_t e = 0; e < loads.size(); ++e) {
            m.mean[e] += double(loads[e]) / steps;
            m.variance[e] += double(loads[e]) * double(loads[e]) / steps;
        }
    }
    for (std::size_t e = 0; e < m.mean.size(); ++e) m.variance[e] -= m.mean[e] * m.mean[e];
    return m;
}

void expect_drawn_as_folded(const ScoreRoutingSpec& spec) {
    ScoreRouting routing(spec);
    constexpr int steps = 400;
    const Moments folded = moments(spec.router.experts, steps, [&](int step) { return routing.loads(0, step); });
    const Moments drawn = moments(spec.router.experts, steps, [&](int step) {
        std::vector<std::int64_t> loads(std::size_t(spec.router.experts));
        for (std::int64_t token = 0; token < spec.tokens; ++token)
            for (const int expert : routing.experts_of(0, step, token)) ++loads[std::size_t(expert)];
        return loads;
    });
    double ratio = 0;
    for (std::size_t e = 0; e < folded.mean.size(); ++e) {
        // Both means are known within sigma / 20; the integral is within 0.4 % of the truth.
        EXPECT_NEAR(folded.mean[e], drawn.mean[e],
                    5 * std::sqrt((folded.variance[e] + drawn.variance[e]) / steps) + 0.004 * drawn.mean[e])
            << "expert " << e;
        ratio += folded.variance[e] / drawn.variance[e] / spec.router.experts;
    }
    EXPECT_NEAR(ratio, 1, 0.1);
}

const Popularity kZipf{.law = PopularityLaw::zipf, .exponents = {1.0}};

TEST(FoldedLoads, agree_with_drawn_tokens) {
    expect_drawn_as_folded({.router = {.experts = 32, .top_k = 4}, .tokens = 256, .popularity = kZipf, .seed = 5});
}

TEST(FoldedLoads, agree_with_drawn_tokens_of_topics) {
    expect_drawn_as_folded({.router = {.experts = 32, .top_k = 4},
                            .tokens = 256,
                            .popularity = kZipf,
                            .topics = {.count = 4, .boost = 2},
                            .seed = 6});
}

TEST(FoldedLoads, agree_with_drawn_tokens_under_a_group_limit) {
    expect_drawn_as_folded({.router = {.experts = 32, .top_k = 4, .limit = {.groups = 8, .kept = 2}},
                            .tokens = 256,
                            .popularity = kZipf,
                            .seed = 7});
}

TEST(FoldedLoads, agree_with_drawn_tokens_where_biases_choose) {
    for (const Score score : {Score::sigmoid, Score::sqrt_softplus}) {
        ScoreRouting routing({.router = {.experts = 16, .top_k = 2, .score = score}, .tokens = 20000, .seed = 8});
        std::vector<double> bias(16, 0.0);
        bias[3] = 0.2;
        bias[4] = -0.2;
        routing.set_bias(0, bias);
        const auto inclusion = routing.inclusion(0, 0);
        std::vector<double> drawn(16, 0.0);
        for (std::int64_t token = 0; token < 20000; ++token)
            for (const int expert : routing.experts_of(0, 0, token)) drawn[std::size_t(expert)] += 1.0 / 20000;
        for (std::size_t e = 0; e < 16; ++e)
            EXPECT_NEAR(inclusion[e], drawn[e], 5 * std::sqrt(drawn[e] / 20000) + 0.004 * drawn[e]);
        EXPECT_GT(inclusion[3], 1.5 * inclusion[0]);
        EXPECT_LT(inclusion[4], 0.7 * inclusion[0]);
    }
}

}  // namespace
}  // namespace strata
