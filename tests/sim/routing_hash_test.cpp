#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "hwmodels/input_error.hpp"
#include "sim/routing/bias_balancing.hpp"
#include "sim/routing/hash_routing.hpp"
#include "sim/routing/score_routing.hpp"

namespace strata {
namespace {

const HashRoutingSpec kV4Pro{.experts = 384, .top_k = 6, .layers = 3, .tokens = 49152, .seed = 1};

TEST(AliasTable, draws_by_share) {
    const AliasTable table(std::vector<double>{1, 0, 2, 5});
    SeededRandom random(2);
    std::vector<double> drawn(4);
    for (int i = 0; i < 80000; ++i) ++drawn[std::size_t(table.draw(random))];
    EXPECT_EQ(drawn[1], 0);
    EXPECT_NEAR(drawn[0], 10000, 5 * std::sqrt(10000 * 7.0 / 8));  // five sigma
    EXPECT_NEAR(drawn[2], 20000, 5 * std::sqrt(20000 * 6.0 / 8));
    EXPECT_THROW(AliasTable(std::vector<double>{0, 0}), std::logic_error);
}

TEST(HashRouting, an_id_always_takes_the_same_different_experts) {
    HashRouting routing(kV4Pro), again(kV4Pro);
    std::set<std::vector<int>> of_layers;
    for (int layer = 0; layer < 3; ++layer) {
        const auto experts = routing.experts_of_id(layer, 1234);
        EXPECT_EQ(experts, again.experts_of_id(layer, 1234));
        EXPECT_EQ(std::set<int>(experts.begin(), experts.end()).size(), 6u);
        of_layers.insert(experts);
    }
    EXPECT_EQ(of_layers.size(), 3u);  // each layer has its own table
    const int id = routing.token_id(5, 17);
    EXPECT_EQ(routing.experts_of(2, 5, 17), routing.experts_of_id(2, id));
}

TEST(HashRouting, is_balanced_where_ids_are) {
    // 129280 * 6 / 384 = 2020 ids an expert, so shares differ by 1 / sqrt(2020) = 2.2 %; the largest of 384 by 3.1
    // sigma.
    HashRouting routing(kV4Pro);
    const auto& inclusion = routing.inclusion(0);
    EXPECT_NEAR(std::accumulate(inclusion.begin(), inclusion.end(), 0.0), 6, 1e-9);
    EXPECT_LT(*std::ranges::max_element(inclusion) / (6.0 / 384), 1.1);
    EXPECT_LT(max_over_mean(routing.loads(0, 0)), 1.2);
}

TEST(HashRouting, frequent_ids_unbalance_a_random_table_and_less_a_balanced_one) {
    HashRoutingSpec spec = kV4Pro;
    spec.token_exponent = 1;
    const double random = max_over_mean(HashRouting(spec).loads(0, 0));
    spec.table = HashTable::balanced;
    const double balanced = max_over_mean(HashRouting(spec).loads(0, 0));
    // The first of 129280 ids is 1 / H(129280) = 8.1 % of all tokens: its experts get 5.2 times the mean of 6 / 384.
    EXPECT_GT(random, 5.2);
    EXPECT_NEAR(balanced, 5.2, 0.2);
}

TEST(HashRouting, folded_loads_agree_with_drawn_tokens) {
    HashRoutingSpec spec{
        .experts = 16, .top_k = 2, .vocabulary = 500, .tokens = 200000, .token_exponent = 1, .seed = 4};
    HashRouting routing(spec);
    std::vector<double> drawn(16);
    for (std::int64_t token = 0; token < spec.tokens; ++token)
        for (const int expert : routing.experts_of(0, 0, token)) ++drawn[std::size_t(expert)];
    const auto folded = routing.loads(0, 0);
    for (std::size_t e = 0; e < 16; ++e)
        EXPECT_NEAR(double(folded[e]), drawn[e], 5 * std::sqrt(2 * drawn[e])) << "expert " << e;
}

TEST(HashRouting, stands_before_routed_layers) {
    LayeredRouting model(std::make_unique<HashRouting>(kV4Pro),
                         std::make_unique<ScoreRouting>(
                             ScoreRoutingSpec{.router = {.experts = 384, .top_k = 6, .score = Score::sqrt_softplus},
                                              .layers = 58,
                                              .tokens = 49152,
                                              .popularity = {.law = PopularityLaw::zipf, .exponents = {1.0}}}));
    EXPECT_EQ(model.layers(), 61);
    EXPECT_LT(max_over_mean(model.loads(2, 0)), 1.2);
    EXPECT_GT(max_over_mean(model.loads(3, 0)), 5);
    EXPECT_EQ(model.experts_of(60, 0, 0).size(), 6u);
    EXPECT_THROW(LayeredRouting(std::make_unique<HashRouting>(kV4Pro),
                                std::make_unique<ScoreRouting>(
                                    ScoreRoutingSpec{.router = {.experts = 256, .top_k = 6}, .tokens = 1})),
                 InputError);
}

TEST(HashRouting, refuses_what_cannot_be) {
    HashRoutingSpec spec = kV4Pro;
    spec.top_k = 385;
    EXPECT_THROW(HashRouting{spec}, InputError);
    spec = kV4Pro;
    spec.tokens = 0;
    EXPECT_THROW(HashRouting{spec}, InputError);
}

}  // namespace
}  // namespace strata
