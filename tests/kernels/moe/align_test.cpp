#include "kernels/moe/align_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/moe/align_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

reference::Alignment emulated(const std::vector<std::int32_t>& expert_of_pair, int first_expert, int experts, int tile,
                              ThreadOrder order, int cluster = 0, long more_slots = 0) {
    AlignTask task{.expert_of_pair = expert_of_pair.data(),
                   .pairs = long(expert_of_pair.size()),
                   .slots = slots_for(long(expert_of_pair.size()), experts, tile) + more_slots,
                   .first_expert = first_expert,
                   .experts = experts,
                   .tile = tile};
    reference::Alignment out{.counts = std::vector<std::int32_t>(std::size_t(experts), -7),
                             .offsets = std::vector<std::int32_t>(std::size_t(experts + 1), -7),
                             .pair_of_slot = std::vector<std::int32_t>(std::size_t(task.slots), -7),
                             .slot_of_pair = std::vector<std::int32_t>(expert_of_pair.size(), -7),
                             .expert_of_tile = std::vector<std::int32_t>(std::size_t(task.slots / tile), -7)};
    task.counts = out.counts.data(), task.offsets = out.offsets.data();
    task.pair_of_slot = out.pair_of_slot.data(), task.slot_of_pair = out.slot_of_pair.data();
    task.expert_of_tile = out.expert_of_tile.data();
    require_valid(task);
    Grid grid = grid_of(task);
    if (cluster > 0) grid.blocks = grid.cluster = cluster;
    emulate(grid, order, [&](EmulatedThread& t) { align(t, task); });
    return out;
}

void expect_same(const reference::Alignment& is, const reference::Alignment& should) {
    EXPECT_EQ(is.counts, should.counts);
    EXPECT_EQ(is.offsets, should.offsets);
    EXPECT_EQ(is.pair_of_slot, should.pair_of_slot);
    EXPECT_EQ(is.slot_of_pair, should.slot_of_pair);
    EXPECT_EQ(is.expert_of_tile, should.expert_of_tile);
}

std::vector<std::int32_t> random_experts(std::size_t pairs, int experts, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::int32_t> all(pairs);
    for (std::int32_t& one : all) one = std::int32_t(random() % std::uint64_t(experts + 1)) - 1;  // -1: dead
    return all;
}

// Experts 10..12 are here, tiles of 4: pairs 1, 4, 5 are of 10, none of 11, pair 2 of 12.
TEST(AlignReference, hand_made) {
    const auto is = reference::align({-1, 10, 12, 13, 10, 10, 9}, 10, 3, 4, 12);
    EXPECT_EQ(is.counts, (std::vector<std::int32_t>{3, 0, 1}));
    EXPECT_EQ(is.offsets, (std::vector<std::int32_t>{0, 4, 4, 8}));
    EXPECT_EQ(is.pair_of_slot, (std::vector<std::int32_t>{1, 4, 5, -1, 2, -1, -1, -1, -1, -1, -1, -1}));
    EXPECT_EQ(is.slot_of_pair, (std::vector<std::int32_t>{-1, 0, 4, -1, 1, 2, -1}));
    EXPECT_EQ(is.expert_of_tile, (std::vector<std::int32_t>{0, 2, -1}));
}

TEST(Align, matches_the_reference_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        const auto pairs = random_experts(3000, 256, 1);
        expect_same(emulated(pairs, 0, 256, 128, order),
                    reference::align(pairs, 0, 256, 128, slots_for(3000, 256, 128)));
    }
}

TEST(Align, a_cluster_gives_the_same_as_one_block) {
    const auto many = random_experts(4999, 384, 2);
    expect_same(emulated(many, 32, 96, 64, ThreadOrder::shuffled),  // so many pairs take eight blocks
                reference::align(many, 32, 96, 64, slots_for(4999, 96, 64)));
    const auto few = random_experts(777, 5, 3);
    for (const ThreadOrder order : kThreadOrders)
        expect_same(emulated(few, 0, 5, 8, order, 2), reference::align(few, 0, 5, 8, slots_for(777, 5, 8)));
}

TEST(Align, all_pairs_on_one_expert) {
    const std::vector<std::int32_t> pairs(2500, 6);
    expect_same(emulated(pairs, 0, 8, 128, ThreadOrder::reversed),
                reference::align(pairs, 0, 8, 128, slots_for(2500, 8, 128)));
}

TEST(Align, nothing_and_nobody_here) {
    expect_same(emulated({}, 0, 3, 128, ThreadOrder::forward), reference::align({}, 0, 3, 128, 0));
    expect_same(emulated({-1, 99, 3}, 0, 3, 128, ThreadOrder::forward),
                reference::align({-1, 99, 3}, 0, 3, 128, slots_for(3, 3, 128)));
}

TEST(Align, as_many_experts_as_threads_and_slots_to_spare) {
    const auto pairs = random_experts(1500, 1024, 4);
    expect_same(emulated(pairs, 0, 1024, 1, ThreadOrder::shuffled, 0, 5000),
                reference::align(pairs, 0, 1024, 1, slots_for(1500, 1024, 1) + 5000));
}

TEST(Align, refuses_what_it_does_not_take) {
    std::int32_t some[8] = {};
    AlignTask task{.counts = some, .offsets = some, .experts = 4};
    EXPECT_NO_THROW(require_valid(task));
    task.experts = 1025;
    EXPECT_THROW(require_valid(task), std::invalid_argument);
    task.experts = 4, task.tile = 96;
    EXPECT_THROW(require_valid(task), std::invalid_argument);
    task.tile = 128, task.pairs = 1;
    EXPECT_THROW(require_valid(task), std::invalid_argument);  // no slots
}

}  // namespace
}  // namespace strata
