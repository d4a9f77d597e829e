#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hwmodels/input_error.hpp"
#include "kernels/moe/router_reference.hpp"
#include "sim/routing/router_rule.hpp"
#include "sim/routing/score_routing.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {
namespace {

TEST(RouterRule, bias_chooses) {
    const RouterRule rule{.experts = 4, .top_k = 2};
    const std::vector<double> affinities{0.9, 0.8, 0.7, 0.1};
    EXPECT_EQ(chosen_experts(rule, affinities, {}), (std::vector{0, 1}));
    EXPECT_EQ(chosen_experts(rule, affinities, std::vector{-0.3, 0.0, 0.0, 0.0}), (std::vector{1, 2}));
}

TEST(RouterRule, equal_affinities_go_to_the_lowest) {
    EXPECT_EQ(chosen_experts({.experts = 4, .top_k = 2}, std::vector{0.5, 0.5, 0.5, 0.5}, {}), (std::vector{0, 1}));
}

TEST(RouterRule, a_group_is_worth_the_sum_of_its_best) {
    // The best expert is alone in its group: 0.9 + 0.1 is less than 0.6 + 0.5, so by sums of two it cannot be chosen.
    RouterRule rule{.experts = 6, .top_k = 2, .limit = {.groups = 2, .kept = 1, .summed = 2}};
    const std::vector<double> affinities{0.9, 0.1, 0.1, 0.6, 0.5, 0.4};
    EXPECT_EQ(chosen_experts(rule, affinities, {}), (std::vector{3, 4}));
    rule.limit.summed = 1;
    EXPECT_EQ(chosen_experts(rule, affinities, {}), (std::vector{0, 1}));
}

TEST(RouterRule, chooses_what_the_kernels_reference_chooses) {
    SeededRandom random(11);
    for (const Score score : {Score::sigmoid, Score::sqrt_softplus})
        for (int token = 0; token < 200; ++token) {
            std::vector<double> logits, affinities, bias;
            for (int e = 0; e < 64; ++e) {
                logits.push_back(2 * random.normal());
                affinities.push_back(affinity(score, std::exp(logits.back())));
                bias.push_back(0.1 * random.normal());
            }
            const RouterRule rule{.experts = 64, .top_k = 8, .score = score, .limit = {.groups = 8, .kept = 4}};
            EXPECT_EQ(chosen_experts(rule, affinities, bias),
                      reference::route(logits, bias, score, 8, 8, 4, 1).experts);
        }
}

TEST(RouterRule, odds_undo_the_affinity) {
    for (const Score score : {Score::sigmoid, Score::sqrt_softplus})
        for (const double odds : {0.01, 1.0, 30.0})
            EXPECT_NEAR(odds_of(score, affinity(score, odds)), odds, 1e-9 * odds);
    EXPECT_EQ(odds_of(Score::sigmoid, -0.1), 0);
    EXPECT_GT(odds_of(Score::sigmoid, 1), 1e300);
}

TEST(RouterRule, refuses_by_field) {
    const auto refused = [](const RouterRule& rule, const std::string& field) {
        try {
            rule.check();
            ADD_FAILURE() << "not refused: " << field;
        } catch (const InputError& error) {
            EXPECT_EQ(std::string(error.what()).find("routing." + field + ":"), 0u) << error.what();
        }
    };
    refused({.experts = 0, .top_k = 1}, "experts");
    refused({.experts = 4, .top_k = 5}, "top_k");
    refused({.experts = 4, .top_k = 1, .score = Score::softmax}, "score");
    refused({.experts = 4, .top_k = 1, .limit = {.groups = 3, .kept = 1}}, "groups");
    refused({.experts = 4, .top_k = 3, .limit = {.groups = 2, .kept = 1}}, "kept_groups");
    refused({.experts = 4, .top_k = 1, .limit = {.groups = 4, .kept = 1}}, "summed");
    EXPECT_NO_THROW((RouterRule{.experts = 256, .top_k = 8, .limit = {.groups = 8, .kept = 4}}.check()));
}

TEST(ScoreRouting, a_node_limit_keeps_tokens_on_few_nodes) {
    // V3: 8 of 256 experts on at most 4 of 8 nodes (arXiv 2412.19437, section 2.1.2).
    ScoreRoutingSpec spec{.router = {.experts = 256, .top_k = 8, .limit = node_limit(8, 4, 8)}, .tokens = 2000};
    EXPECT_EQ(spec.router.limit.summed, 2);
    const auto nodes_of_tokens = [&] {
        ScoreRouting routing(spec);
        double sum = 0;
        std::size_t most = 0;
        for (int token = 0; token < 2000; ++token) {
            std::set<int> nodes;
            for (const int expert : routing.experts_of(0, 0, token)) nodes.insert(expert / 32);
            sum += double(nodes.size()) / 2000;
            most = std::max(most, nodes.size());
        }
        return std::pair(sum, most);
    };
    EXPECT_EQ(nodes_of_tokens().second, 4u);
    spec.router.limit = {};
    // Without: 8 (1 - C(224, 8) / C(256, 8)) = 5.29 nodes on average.
    EXPECT_NEAR(nodes_of_tokens().first, 5.29, 0.1);
}

TEST(ScoreRouting, does_not_depend_on_what_was_asked_before) {
    ScoreRoutingSpec spec{.router = {.experts = 32, .top_k = 4}, .layers = 2, .tokens = 500, .seed = 3};
    spec.popularity = {.law = PopularityLaw::zipf, .exponents = {1.0, 0.2}, .half_life = 10.0};
    for (const int groups : {1, 4}) {
        spec.router.limit = {.groups = groups, .kept = std::min(2, groups)};
        ScoreRouting asked(spec), fresh(spec);
        for (int step = 40; step >= 0; --step) asked.loads(1, step);  // more than it keeps
        asked.experts_of(1, 7, 3);
        asked.loads(0, 3);
        EXPECT_EQ(asked.loads(1, 20), fresh.loads(1, 20)) << groups;
        EXPECT_EQ(asked.loads(1, 38), fresh.loads(1, 38)) << groups;
        EXPECT_EQ(asked.experts_of(0, 5, 9), fresh.experts_of(0, 5, 9)) << groups;
        ScoreRoutingSpec other = spec;
        other.seed = 4;
        EXPECT_NE(ScoreRouting(other).loads(1, 20), fresh.loads(1, 20)) << groups;
    }
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    const double n = double(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) ma += a[i] / n, mb += b[i] / n;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - ma) * (b[i] - mb);
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
    }
    return ab / std::sqrt(aa * bb);
}

TEST(Popularity, is_half_forgotten_after_a_half_life) {
    // Order statistics of 2000 experts: the correlation of ranks is 6/pi asin(1/4) = 0.483, known within 0.02.
    PopularityWalk walk(2000, 50.0, 9, 0);
    const auto places = [&](std::int64_t step) {
        std::vector<double> place(2000);
        const auto order = walk.order_at(step);
        for (std::size_t i = 0; i < order.size(); ++i) place[std::size_t(order[i])] = double(i);
        return place;
    };
    EXPECT_NEAR(correlation(places(0), places(50)), 0.483, 0.06);
    EXPECT_NEAR(correlation(places(0), places(500)), 0, 0.08);
    EXPECT_EQ(PopularityWalk(2000, std::nullopt, 9, 0).order_at(0),
              PopularityWalk(2000, std::nullopt, 9, 0).order_at(99));
}

TEST(Popularity, each_layer_has_its_own_skew) {
    const Popularity popularity{.law = PopularityLaw::zipf, .exponents = {0.0, 1.0, 2.0}};
    for (int layer = 0; layer < 3; ++layer) {
        const auto weights = law_weights(popularity, layer, 8);
        EXPECT_NEAR(weights[0] / weights[7], std::pow(8.0, layer), 1e-9);
    }
}

TEST(Popularity, a_power_density_has_its_quantiles) {
    // Density x^-2 between 1 and infinity has the quantile 1 / (1 - u): the best of two experts stands at u = 0.75.
    const Popularity steep{.law = PopularityLaw::power_density, .exponents = {2.0}, .largest = 1e12};
    EXPECT_NEAR(law_weights(steep, 0, 2)[0], 4, 1e-6);
    EXPECT_NEAR(law_weights(steep, 0, 2)[1], 1 / 0.75, 1e-6);
    // Density 1 / x: log x is uniform.
    const Popularity one{.law = PopularityLaw::power_density, .exponents = {1.0}, .largest = 16};
    EXPECT_NEAR(law_weights(one, 0, 2)[0], 8, 1e-9);
}

TEST(Popularity, refuses_by_field) {
    EXPECT_THROW((Popularity{.law = PopularityLaw::zipf}.check(3)), InputError);
    EXPECT_THROW((Popularity{.law = PopularityLaw::zipf, .exponents = {1, 1}}.check(3)), InputError);
    EXPECT_THROW((Popularity{.law = PopularityLaw::zipf, .exponents = {-1}}.check(3)), InputError);
    EXPECT_THROW((Popularity{.exponents = {1}}.check(3)), InputError);
    EXPECT_THROW((Popularity{.half_life = 0.0}.check(3)), InputError);
    EXPECT_THROW((Popularity{.law = PopularityLaw::power_density, .exponents = {1.2}}.check(3)), InputError);
    EXPECT_NO_THROW((Popularity{.law = PopularityLaw::zipf, .exponents = {1, 2, 3}}.check(3)));
}

}  // namespace
}  // namespace strata
