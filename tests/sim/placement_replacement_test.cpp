#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/placement/replacement.hpp"
#include "sim/routing/score_routing.hpp"

namespace strata {
namespace {

const TwoLevelFabric kTwoByTwo{.nodes = 2, .ranks_per_node = 2, .inside = Bandwidth(1000), .outside = Bandwidth(100)};

ExpertPlacement placed(std::vector<int> expert_of_slot) {
    return {.experts = 4, .ranks = 4, .expert_of_slot = std::move(expert_of_slot)};
}

TEST(Migration, sends_what_a_rank_did_not_have) {
    const ExpertPlacement from = placed({0, 1, 2, 3});
    const Migration none = migration(from, from, Bytes(500), kTwoByTwo);
    EXPECT_EQ(none.slots, 0);
    EXPECT_EQ(none.time, Seconds(0));
    // Experts 0 and 1 change ranks of one node: 500 B each way over links of 1000 B/s.
    const Migration inside = migration(from, placed({1, 0, 2, 3}), Bytes(500), kTwoByTwo);
    EXPECT_EQ(inside.moved, Bytes(1000));
    EXPECT_EQ(inside.outside, Bytes(0));
    EXPECT_EQ(inside.time, Seconds(0.5));
    // Experts 1 and 2 change nodes: 100 B/s.
    const Migration across = migration(from, placed({0, 2, 1, 3}), Bytes(500), kTwoByTwo);
    EXPECT_EQ(across.outside, Bytes(1000));
    EXPECT_EQ(across.time, Seconds(5));
}

TEST(Migration, order_within_a_rank_is_free_and_copies_come_from_different_senders) {
    const ExpertPlacement from{.experts = 4, .ranks = 4, .expert_of_slot = {0, 1, 0, 1, 2, 3, 2, 3}};
    EXPECT_EQ(
        migration(from, {.experts = 4, .ranks = 4, .expert_of_slot = {1, 0, 1, 0, 3, 2, 3, 2}}, Bytes(1), kTwoByTwo)
            .slots,
        0);
    // Both ranks of node 1 need expert 0; ranks 0 and 1 have it and send one each: 500 B over 100 B/s, not 1000.
    const Migration two =
        migration(from, {.experts = 4, .ranks = 4, .expert_of_slot = {0, 1, 0, 1, 2, 0, 0, 3}}, Bytes(500), kTwoByTwo);
    EXPECT_EQ(two.outside, Bytes(1000));
    EXPECT_EQ(two.time, Seconds(5));
}

TEST(Migration, aligned_names_ranks_so_that_nothing_moves_without_need) {
    const ExpertPlacement from = placed({0, 1, 2, 3});
    const ExpertPlacement renamed = placed({3, 2, 0, 1});  // nodes exchanged, and ranks of one
    EXPECT_EQ(migration(from, renamed, Bytes(500), kTwoByTwo).slots, 4);
    EXPECT_EQ(aligned(renamed, from, kTwoByTwo).expert_of_slot, from.expert_of_slot);
}

TEST(Migration, refuses_placements_of_other_models) {
    EXPECT_THROW(migration(placed({0, 1, 2, 3}), {.experts = 8, .ranks = 4, .expert_of_slot = {}}, Bytes(1), kTwoByTwo),
                 InputError);
}

TEST(Replacement, pays_after_what_it_takes_over_what_it_saves) {
    EXPECT_EQ(break_even_steps(Seconds(10), Seconds(0.5)), 20.0);
    EXPECT_EQ(break_even_steps(Seconds(10), Seconds(0)), std::nullopt);
    EXPECT_EQ(break_even_steps(Seconds(10), Seconds(-1)), std::nullopt);
}

// V3: 256 experts of 3 x 7168 x 2048 FP8 weights on 32 ranks with 32 redundant ones.
class Drifting : public ::testing::Test {
protected:
    ReplacementOutcome after(std::int64_t period, Bandwidth bandwidth, std::optional<double> half_life = 200.0) {
        ScoreRouting routing({.router = {.experts = 256, .top_k = 8},
                              .tokens = 32 * 4096,
                              .popularity = {.law = PopularityLaw::zipf, .exponents = {0.8}, .half_life = half_life},
                              .seed = 11});
        return replay(routing, 0, 1, 400,
                      {.period = period,
                       .eplb = {.redundant = 32, .nodes = 4, .ranks = 32},
                       .fabric = {.nodes = 4, .ranks_per_node = 8, .inside = bandwidth * 4, .outside = bandwidth},
                       .of_expert = Bytes(3 * 7168.0 * 2048),
                       .compute = 0.1_us});
    }
};

TEST_F(Drifting, a_first_placement_ages) {
    const ReplacementOutcome fixed = after(0, 50.0_GBps), still = after(0, 50.0_GBps, std::nullopt);
    EXPECT_LT(still.computing / still.balanced, 1.15);
    EXPECT_GT(fixed.computing / fixed.balanced, 1.5);
    EXPECT_EQ(fixed.placements, 0);
    EXPECT_EQ(fixed.moved, Bytes(0));
}

TEST_F(Drifting, placing_anew_balances_and_the_more_often_the_better_it_balances) {
    const ReplacementOutcome never = after(0, 50.0_GBps), seldom = after(100, 50.0_GBps), often = after(10, 50.0_GBps);
    EXPECT_LT(seldom.computing, never.computing);
    EXPECT_LT(often.computing, seldom.computing);
    EXPECT_GT(often.moved, seldom.moved);
    EXPECT_EQ(seldom.placements, 3);  // after steps 100, 200 and 300; at the end it would be in vain
}

TEST_F(Drifting, a_slow_link_makes_frequent_moves_too_dear) {
    EXPECT_LT(after(20, 400.0_GBps).total(), after(0, 400.0_GBps).total());
    const Bandwidth slow = 0.05_GBps;
    EXPECT_GT(after(20, slow).total(), after(200, slow).total());
    EXPECT_GT(after(20, slow).total(), after(0, slow).total());
}

TEST_F(Drifting, refuses_steps_that_are_none) { EXPECT_THROW(after(-1, 50.0_GBps), InputError); }

}  // namespace
}  // namespace strata
