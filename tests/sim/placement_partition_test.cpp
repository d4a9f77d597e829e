#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hwmodels/input_error.hpp"
#include "sim/placement/partitioned_placement.hpp"
#include "sim/placement/placement_comparison.hpp"
#include "sim/routing/score_routing.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {
namespace {

// Blocks of vertices that go together, shuffled.
struct Blocks {
    CoActivationGraph graph;
    std::vector<int> block_of;
};

Blocks blocks(int count, int each, double inside, double outside) {
    Blocks made{CoActivationGraph(std::size_t(count * each)), std::vector<int>(std::size_t(count * each))};
    SeededRandom random(17);
    const std::vector<int> order = random.permutation(count * each);
    for (std::size_t i = 0; i < order.size(); ++i) made.block_of[std::size_t(order[i])] = int(i) / each;
    for (std::size_t a = 0; a < order.size(); ++a) {
        made.graph[a].tokens = 1;
        for (std::size_t b = a + 1; b < order.size(); ++b)
            boost::add_edge(a, b,
                            Together{(made.block_of[a] == made.block_of[b] ? inside : outside) * random.uniform()},
                            made.graph);
    }
    return made;
}

TEST(Partition, finds_planted_blocks_of_any_number) {
    for (const int count : {2, 3, 5, 8}) {
        const Blocks planted = blocks(count, 12, 4, 1);
        const std::vector<int> part_of = partition(planted.graph, {.parts = count});
        std::set<std::pair<int, int>> names;
        for (std::size_t v = 0; v < part_of.size(); ++v) names.insert({part_of[v], planted.block_of[v]});
        EXPECT_EQ(int(names.size()), count) << count << " blocks";  // one block in each part
        EXPECT_DOUBLE_EQ(cut(planted.graph, part_of), cut(planted.graph, planted.block_of));
    }
}

TEST(Partition, has_the_least_cut_of_all_where_all_can_be_tried) {
    SeededRandom random(3);
    for (int trial = 0; trial < 20; ++trial) {
        CoActivationGraph graph(8);
        for (std::size_t a = 0; a < 8; ++a)
            for (std::size_t b = a + 1; b < 8; ++b) boost::add_edge(a, b, Together{random.uniform()}, graph);
        double least = 1e9;
        for (int mask = 0; mask < 256; ++mask) {
            if (__builtin_popcount(unsigned(mask)) != 4) continue;
            std::vector<int> part_of;
            for (int v = 0; v < 8; ++v) part_of.push_back(mask >> v & 1);
            least = std::min(least, cut(graph, part_of));
        }
        EXPECT_NEAR(cut(graph, partition(graph, {.parts = 2, .starts = 8})), least, 1e-9);
    }
}

TEST(Partition, leaves_no_exchange_that_would_lower_the_cut) {
    SeededRandom random(3);
    CoActivationGraph graph(48);
    double total = 0;
    for (std::size_t a = 0; a < 48; ++a)
        for (std::size_t b = a + 1; b < 48; ++b) {
            boost::add_edge(a, b, Together{random.uniform() * random.uniform()}, graph);
            total += graph[boost::edge(a, b, graph).first].tokens;
        }
    std::vector<int> part_of = partition(graph, {.parts = 6, .starts = 1});
    const double found = cut(graph, part_of);
    for (std::size_t a = 0; a < 48; ++a)
        for (std::size_t b = a + 1; b < 48; ++b) {
            std::swap(part_of[a], part_of[b]);
            EXPECT_GE(cut(graph, part_of), found - 1e-4 * total) << a << " and " << b;
            std::swap(part_of[a], part_of[b]);
        }
}

TEST(Partition, keeps_the_tolerance_where_it_can) {
    // Four heavy vertices go together, and twelve light ones: balance tears the heavy ones apart, the cut would not.
    CoActivationGraph graph(16);
    for (std::size_t v = 0; v < 16; ++v) graph[v].tokens = v < 4 ? 10 : 1;
    for (std::size_t a = 0; a < 16; ++a)
        for (std::size_t b = a + 1; b < 16; ++b) boost::add_edge(a, b, Together{a < 4 && b < 4 ? 3.0 : 0.1}, graph);
    const auto heavy_together = [&](double tolerance) {
        const std::vector<int> part_of = partition(graph, {.parts = 2, .tolerance = tolerance});
        EXPECT_EQ(std::ranges::count(part_of, 0), 8);
        return std::max(std::count(part_of.begin(), part_of.begin() + 4, 0),
                        std::count(part_of.begin(), part_of.begin() + 4, 1));
    };
    EXPECT_EQ(heavy_together(0.1), 2);
    EXPECT_EQ(heavy_together(1.0), 4);
}

TEST(Partition, refuses_parts_that_do_not_divide) {
    EXPECT_THROW(partition(CoActivationGraph(10), {.parts = 4}), InputError);
    EXPECT_THROW(partition(CoActivationGraph(10), {.parts = 2, .tolerance = -1}), InputError);
}

TEST(CoActivation, counts_tokens_and_pairs) {
    const CoActivationGraph graph = co_activation({{0, 1}, {1, 2}, {0, 1}}, 4);
    EXPECT_EQ(graph[1].tokens, 3);
    EXPECT_EQ(graph[3].tokens, 0);
    EXPECT_EQ(boost::num_edges(graph), 2u);
    EXPECT_EQ(graph[boost::edge(0, 1, graph).first].tokens, 2);
    // Expert 1 in two slots: each has half of its tokens, and half of the pairs.
    const CoActivationGraph slots = among_slots(graph, std::vector{0, 1, 2, 3, 1});
    EXPECT_EQ(slots[4].tokens, 1.5);
    EXPECT_EQ(slots[boost::edge(0, 4, slots).first].tokens, 1);
    EXPECT_FALSE(boost::edge(1, 4, slots).second);
}

// DeepEP's measured bandwidths on H800: 153 GB/s in a node, 43 GB/s and more between (github deepseek-ai/DeepEP).
const TwoLevelFabric kEightNodes{.nodes = 8, .ranks_per_node = 8, .inside = 153.0_GBps, .outside = 43.0_GBps};

struct Compared {
    std::vector<PlacedExperts> placed;
    ExchangeScore planted;
    const ExchangeScore& of(std::string_view name) const {
        return std::ranges::find(placed, name, &PlacedExperts::name)->score;
    }
};

// V3's 256 experts on 64 ranks; tokens of eight topics with `boost`, each topic's experts on a node of its own in the
// planted placement.
Compared compared(double boost, double exponent, int redundant = 0) {
    ScoreRoutingSpec spec{.router = {.experts = 256, .top_k = 8}, .tokens = 20000, .topics = {8, boost}, .seed = 3};
    if (exponent > 0) spec.popularity = {.law = PopularityLaw::zipf, .exponents = {exponent}};
    ScoreRouting routing(spec);
    const TokenSample learned = sample_tokens(routing, 0, 0, 1, 20000), judged = sample_tokens(routing, 0, 1, 1, 20000);
    const TokenCost cost = token_cost(7168, 0.01_us);
    ExpertPlacement planted{.experts = 256, .ranks = 64};
    for (int topic = 0; topic < 8; ++topic)
        for (int expert = 0; expert < 256; ++expert)
            if (routing.topic_of(0, expert) == topic) planted.expert_of_slot.push_back(expert);
    return {
        compare_placements(learned, judged,
                           {.experts = 256, .redundant = redundant, .groups = 8, .fabric = kEightNodes, .cost = cost}),
        score(planted, judged, kEightNodes, cost)};
}

TEST(PartitionedPlacement, finds_what_goes_together) {
    for (const double boost : {3.0, 4.0}) {
        const Compared with = compared(boost, 0);
        const double found = with.of("partition").cross_node.si();
        EXPECT_LT(found, 0.7 * with.of("random").cross_node.si());
        EXPECT_LT(found, 1.05 * with.planted.cross_node.si());
        EXPECT_LT(found, 0.7 * with.of("eplb").cross_node.si());
        EXPECT_LT(with.of("partition").outside, with.of("linear").outside);
    }
}

TEST(PartitionedPlacement, finds_it_where_popularity_is_skewed_and_balances_as_eplb_does) {
    const Compared with = compared(3, 0.7);
    EXPECT_LT(with.of("partition").cross_node.si(), 0.7 * with.of("random").cross_node.si());
    EXPECT_LT(with.of("partition").cross_node.si(), 1.05 * with.planted.cross_node.si());
    EXPECT_LT(with.of("partition").straggler.si(), 1.05 * with.of("eplb").straggler.si());
    EXPECT_LT(with.of("partition").straggler.si(), 0.9 * with.of("linear").straggler.si());
}

TEST(PartitionedPlacement, redundant_experts_balance_it_as_they_balance_eplb) {
    const Compared with = compared(3, 0.7, 64);
    EXPECT_LT(with.of("partition").cross_node.si(), 0.75 * with.of("random").cross_node.si());
    EXPECT_LT(with.of("partition").straggler_ratio(), 1.2);
    EXPECT_LT(with.of("partition").straggler_ratio(), 1.1 * with.of("eplb").straggler_ratio());
}

TEST(PartitionedPlacement, is_no_worse_than_linear_where_nothing_goes_together) {
    // Crossings of 20,000 tokens are known within 0.5 %: eight draws of eight nodes.
    for (const double exponent : {0.0, 0.7}) {
        const Compared with = compared(0, exponent);
        EXPECT_LT(with.of("partition").cross_node.si(), 1.005 * with.of("linear").cross_node.si());
        EXPECT_LT(with.of("partition").straggler.si(), 1.01 * with.of("linear").straggler.si());
    }
}

TEST(PartitionedPlacement, is_the_same_each_time_and_reaches_every_expert) {
    ScoreRouting routing({.router = {.experts = 64, .top_k = 4}, .tokens = 2000, .topics = {4, 2}, .seed = 1});
    const CoActivationGraph graph = co_activation(sample_tokens(routing, 0, 0, 1, 2000), 64);
    const TwoLevelFabric fabric{.nodes = 4, .ranks_per_node = 4, .inside = 100.0_GBps, .outside = 10.0_GBps};
    const ExpertPlacement placement = partitioned_placement(graph, fabric, {.redundant = 16});
    EXPECT_NO_THROW(placement.check());
    EXPECT_EQ(placement.slots_per_rank(), 5);
    EXPECT_EQ(placement.expert_of_slot, partitioned_placement(graph, fabric, {.redundant = 16}).expert_of_slot);
    EXPECT_THROW(partitioned_placement(graph, fabric, {.redundant = 3}), InputError);
}

}  // namespace
}  // namespace strata
