#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "hwmodels/input_error.hpp"
#include "sim/placement/eplb.hpp"
#include "sim/placement/expert_placement.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {
namespace {

std::string placement_refusal(const std::function<void()>& act) {
    try {
        act();
    } catch (const InputError& error) {
        return error.what();
    }
    return "not refused";
}

TEST(ExpertPlacement, linear_gives_each_rank_neighbours_and_wraps_around) {
    const ExpertPlacement placement = linear_placement(6, 2, 4);
    EXPECT_EQ(placement.expert_of_slot, (std::vector{0, 1, 2, 3, 4, 5, 0, 1}));
    EXPECT_EQ(placement.slots_per_rank(), 2);
    EXPECT_EQ(placement.rank_of_slot(5), 2);
    EXPECT_EQ(placement.slots_of_experts()[1], (std::vector{1, 7}));
    EXPECT_NO_THROW(placement.check());
}

TEST(ExpertPlacement, random_has_the_same_slots_in_an_order_of_the_seed) {
    ExpertPlacement placement = random_placement(64, 8, 8, 3);
    EXPECT_NO_THROW(placement.check());
    EXPECT_EQ(placement.expert_of_slot, random_placement(64, 8, 8, 3).expert_of_slot);
    EXPECT_NE(placement.expert_of_slot, random_placement(64, 8, 8, 4).expert_of_slot);
    std::vector<int> linear = linear_placement(64, 8, 8).expert_of_slot;
    std::ranges::sort(linear);
    std::ranges::sort(placement.expert_of_slot);
    EXPECT_EQ(placement.expert_of_slot, linear);
}

TEST(ExpertPlacement, what_does_not_divide_is_named) {
    EXPECT_EQ(
        placement_refusal([] { linear_placement(256, 10, 32); }),
        "placement.experts.redundant: expected as many slots on each of 32 ranks, so for example 0, found 10 beside "
        "256 experts");
    // CloudMatrix384 serves 256 routed experts on EP320 with 32 redundant ones beside 32 shared (arXiv 2506.12708): 288
    // routed slots alone do not divide.
    EXPECT_EQ(placement_refusal([] { slots_per_rank(256, 32, 320); }),
              "placement.experts.redundant: expected as many slots on each of 320 ranks, so for example 64, found 32 "
              "beside 256 experts");
    EXPECT_EQ(slots_per_rank(256, 32, 32), 9);   // V3 prefill (arXiv 2412.19437, section 3.4.1)
    EXPECT_EQ(slots_per_rank(256, 32, 144), 2);  // V3 decode (open-infra-index, day 6)
}

TEST(ExpertPlacement, an_expert_that_cannot_be_reached_is_named) {
    EXPECT_EQ(placement_refusal([] {
                  ExpertPlacement{.experts = 3, .ranks = 2, .expert_of_slot = {0, 2, 2, 0}}.check();
              }),
              "placement: expected a slot for every expert, found none for expert 1");
    EXPECT_EQ(placement_refusal([] {
                  ExpertPlacement{.experts = 3, .ranks = 2, .expert_of_slot = {0, 1, 2}}.check();
              }),
              "placement: expected as many slots on each of 2 ranks, found 3 slots");
    EXPECT_EQ(placement_refusal([] {
                  ExpertPlacement{.experts = 2, .ranks = 2, .expert_of_slot = {0, 2}}.check();
              }),
              "placement: expected experts from 0 to 1, found 2");
}

TEST(ExpertPlacement, slots_of_one_expert_share_its_tokens) {
    const ExpertPlacement placement{.experts = 2, .ranks = 3, .expert_of_slot = {0, 1, 0}};
    const std::vector<std::int64_t> loads{60, 10};
    EXPECT_EQ(rank_loads(placement, loads), (std::vector<double>{30, 10, 30}));
    EXPECT_DOUBLE_EQ(straggler_ratio(placement, loads), 30 * 3 / 70.0);
}

// The example of the README of github deepseek-ai/EPLB: 12 experts in 4 groups, 16 slots, 2 nodes, 8 ranks.
const std::vector<double> kFirst{90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86};
const std::vector<double> kSecond{20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27};

TEST(Eplb, hierarchical_is_the_published_example) {
    const EplbSpec spec{.redundant = 4, .groups = 4, .nodes = 2, .ranks = 8};
    EXPECT_EQ(eplb_placement(kFirst, spec).expert_of_slot,
              (std::vector{5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1}));
    EXPECT_EQ(eplb_placement(kSecond, spec).expert_of_slot,
              (std::vector{7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1}));
}

TEST(Eplb, global_is_what_the_published_algorithm_gives) {
    // Three groups do not divide among two nodes. Expected values are those of a run of the algorithm in single
    // precision outside this program.
    const EplbSpec spec{.redundant = 4, .groups = 3, .nodes = 2, .ranks = 8};
    EXPECT_EQ(eplb_placement(kFirst, spec).expert_of_slot,
              (std::vector{10, 6, 10, 7, 0, 2, 11, 4, 5, 9, 5, 4, 8, 3, 1, 1}));
    EXPECT_EQ(eplb_placement(kSecond, spec).expert_of_slot,
              (std::vector{1, 10, 2, 4, 5, 11, 5, 0, 6, 7, 6, 3, 8, 8, 9, 7}));
    const EplbSpec more{.redundant = 12, .groups = 3, .nodes = 2, .ranks = 8};
    EXPECT_EQ(eplb_placement(kFirst, more).expert_of_slot,
              (std::vector{9, 11, 8, 5, 1, 3, 5, 1, 3, 5, 1, 7, 4, 0, 6, 4, 0, 8, 10, 10, 11, 10, 10, 2}));
}

TEST(Eplb, hierarchical_keeps_a_group_on_one_node) {
    const ExpertPlacement placement = eplb_placement(kFirst, {.redundant = 4, .groups = 4, .nodes = 2, .ranks = 8});
    std::vector<int> node_of_group(4, -1);
    for (std::size_t slot = 0; slot < placement.expert_of_slot.size(); ++slot) {
        int& node = node_of_group[std::size_t(placement.expert_of_slot[slot] / 3)];
        const int here = placement.rank_of_slot(int(slot)) / 4;
        EXPECT_TRUE(node == -1 || node == here);
        node = here;
    }
}

std::vector<std::int64_t> skewed_loads() {
    std::vector<std::int64_t> loads;
    for (const int place : SeededRandom(5).permutation(256)) loads.push_back(100000 / (place + 1));
    return loads;
}

TEST(Eplb, redundant_experts_take_the_load_off_the_busiest_rank) {
    const std::vector<std::int64_t> loads = skewed_loads();
    const std::vector<double> weights(loads.begin(), loads.end());
    double before = straggler_ratio(linear_placement(256, 0, 32), loads);
    EXPECT_GT(before, 4);
    for (const int redundant : {0, 32, 64, 128}) {
        const ExpertPlacement placement = eplb_placement(weights, {.redundant = redundant, .ranks = 32});
        placement.check();
        const double ratio = straggler_ratio(placement, loads);
        EXPECT_LT(ratio, before);
        before = ratio;
    }
    EXPECT_LT(before, 1.02);
}

TEST(Eplb, packing_gives_the_next_heaviest_to_the_lightest_pack_with_room) {
    // 9 to pack 0, 7 to 1, 6 to 1 (13), 5 to 0 (14), then pack 1 is the lighter: 2 to 1, and 1 where room is left.
    EXPECT_EQ(balanced_packing(std::vector<float>{1, 5, 9, 2, 6, 7}, 2), (std::vector{0, 0, 0, 1, 1, 1}));
    EXPECT_EQ(replicated_experts(std::vector<float>{10, 1, 6}, 6), (std::vector{0, 1, 2, 0, 2, 0}));
}

TEST(Eplb, refuses_what_does_not_divide) {
    EXPECT_THROW(eplb_placement(kFirst, {.redundant = 3, .ranks = 8}), InputError);
    EXPECT_THROW(eplb_placement(kFirst, {.redundant = 4, .groups = 5, .ranks = 8}), InputError);
    EXPECT_THROW(eplb_placement(kFirst, {.redundant = 4, .groups = 6, .nodes = 3, .ranks = 8}), InputError);
    EXPECT_EQ(placement_refusal([] { eplb_placement(kFirst, {.redundant = 4, .groups = 5, .ranks = 8}); }),
              "eplb: expected groups that divide the 12 experts, found 5");
}

}  // namespace
}  // namespace strata
