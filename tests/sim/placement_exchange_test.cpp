#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/placement/token_exchange.hpp"

namespace strata {
namespace {

// Two nodes of two ranks, one expert on each rank; a copy is 100 B there and 200 B back.
const TwoLevelFabric kSmall{.nodes = 2, .ranks_per_node = 2, .inside = Bandwidth(1000), .outside = Bandwidth(100)};
const TokenCost kCost{.dispatch = Bytes(100), .combine = Bytes(200), .compute = Seconds(2)};
const ExpertPlacement kOneEach{.experts = 4, .ranks = 4, .expert_of_slot = {0, 1, 2, 3}};

TEST(TokenExchange, a_token_crosses_once_to_a_node_however_many_experts_it_has_there) {
    // Token 0 stands on rank 0: to experts 2 and 3 of the other node it crosses once, to rank 2, which hands on to 3.
    const ExchangeScore both = score(kOneEach, {{2, 3}}, kSmall, kCost);
    EXPECT_EQ(both.crossings, 1);
    EXPECT_EQ(both.nodes_of_a_token, 1);
    EXPECT_EQ(both.cross_node, Bytes(300));
    // Back come 200 B over rank 2's link and over rank 0's: 2 s of the 100 B/s; inside likewise of 1000 B/s.
    EXPECT_EQ(both.outside, Seconds(2));
    EXPECT_EQ(both.inside, Seconds(0.2));
    const ExchangeScore spread = score(kOneEach, {{1, 2}}, kSmall, kCost);
    EXPECT_EQ(spread.nodes_of_a_token, 2);
    EXPECT_EQ(spread.crossings, 1);
}

TEST(TokenExchange, what_stays_in_its_node_does_not_cross) {
    const ExchangeScore home = score(kOneEach, {{0, 1}}, kSmall, kCost);
    EXPECT_EQ(home.crossings, 0);
    EXPECT_EQ(home.cross_node, Bytes(0));
    EXPECT_EQ(home.outside, Seconds(0));
    EXPECT_EQ(home.inside, Seconds(0.2));  // to expert 1 and back; expert 0 is on the token's own rank
}

TEST(TokenExchange, the_busiest_rank_sets_the_pace) {
    const ExchangeScore uneven = score(kOneEach, {{0, 1}, {0, 2}, {0, 3}}, kSmall, kCost);
    EXPECT_EQ(uneven.busiest_rank, 3);
    EXPECT_EQ(uneven.mean_rank, 1.5);
    EXPECT_EQ(uneven.straggler, Seconds(6));
    EXPECT_EQ(uneven.straggler_ratio(), 2);
}

TEST(TokenExchange, directions_of_a_link_are_counted_apart) {
    // Tokens 0 and 2 stand on ranks 0 and 2 and cross both ways: each link sends 100 + 200 B and receives as much.
    EXPECT_EQ(score(kOneEach, {{2}, {1}, {0}}, kSmall, kCost).outside, Seconds(3));
}

TEST(TokenExchange, a_near_slot_saves_the_crossing_and_even_choice_shares_the_load) {
    const ExpertPlacement copies{.experts = 2, .ranks = 4, .expert_of_slot = {0, 1, 0, 1}};
    TokenSample sample;
    for (int i = 0; i < 4000; ++i) sample.push_back({0});
    const ExchangeScore near = score(copies, sample, kSmall, kCost, SlotChoice::nearest);
    EXPECT_EQ(near.crossings, 0);
    const ExchangeScore even = score(copies, sample, kSmall, kCost, SlotChoice::even);
    EXPECT_NEAR(even.crossings, 0.5, 0.05);
    EXPECT_NEAR(even.busiest_rank, 2000, 150);
}

TEST(TokenExchange, counts_v3s_bytes) {
    // 7168 values in FP8 with 56 scales of 4 B, and 7168 in BF16.
    EXPECT_EQ(token_cost(7168, Seconds(0)).dispatch, Bytes(7168 + 224));
    EXPECT_EQ(token_cost(7168, Seconds(0)).combine, Bytes(14336));
}

TEST(TokenExchange, refuses_a_fabric_of_other_ranks) {
    EXPECT_THROW(
        score(kOneEach, {{0}}, {.nodes = 2, .ranks_per_node = 4, .inside = 1.0_GBps, .outside = 1.0_GBps}, kCost),
        InputError);
    EXPECT_THROW(score(kOneEach, {}, kSmall, kCost), InputError);
    EXPECT_THROW(score(kOneEach, {{0}}, {.nodes = 2, .ranks_per_node = 2}, kCost), InputError);
}

}  // namespace
}  // namespace strata
