#include "kernels/moe/router_body.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "kernels/moe/bias_update_body.hpp"
#include "kernels/moe/bias_update_reference.hpp"
#include "kernels/moe/router_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

struct Routed {
    std::vector<std::int32_t> experts;
    std::vector<float> weights;
    std::int32_t fault = 0;
};

Routed emulated(RouteTask task, const std::vector<float>& logits, const std::vector<float>& bias,
                ThreadOrder order = ThreadOrder::reversed) {
    Routed out;
    out.experts.assign(std::size_t(task.tokens * task.k), -7);
    out.weights.assign(out.experts.size(), -7);
    task.logits = logits.data(), task.bias = bias.empty() ? nullptr : bias.data();
    task.experts_out = out.experts.data(), task.weights = out.weights.data(), task.fault = &out.fault;
    require_valid(task);
    with_experts_a_lane(task, [&](auto a_lane) {
        emulate(grid_of(task), order, [&](EmulatedThread& t) { route<decltype(a_lane)::value>(t, task); });
    });
    return out;
}

std::vector<float> normal(std::size_t count, std::uint64_t seed, float deviation = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> values(0, deviation);
    std::vector<float> all(count);
    for (float& one : all) one = values(random);
    return all;
}

std::vector<double> row_of(const std::vector<float>& all, long row, long width) {
    return {all.begin() + row * width, all.begin() + (row + 1) * width};
}

struct Model {
    const char* name;
    int experts, k, groups, kept_groups;
    Score score;
    float scale;
};

const Model kModels[] = {{"v3", 256, 8, 8, 4, Score::sigmoid, 2.5f},
                         {"v4-flash", 256, 6, 1, 1, Score::sqrt_softplus, 1.5f},
                         {"v4-pro", 384, 6, 1, 1, Score::sqrt_softplus, 2.5f},
                         {"softmax", 128, 2, 4, 2, Score::softmax, 1},
                         {"wide", 512, 32, 1, 1, Score::sigmoid, 1}};

RouteTask task_of(const Model& model, long tokens) {
    return {.tokens = tokens,
            .experts = model.experts,
            .k = model.k,
            .score = model.score,
            .groups = model.groups,
            .kept_groups = model.kept_groups,
            .scale = model.scale};
}

TEST(Router, matches_the_reference_in_every_thread_order) {
    const long tokens = 13;  // the last block is not full
    for (const Model& model : kModels)
        for (const ThreadOrder order : kThreadOrders) {
            SCOPED_TRACE(model.name);
            const std::vector<float> logits = normal(std::size_t(tokens * model.experts), 3, 2);
            const std::vector<float> bias = normal(std::size_t(model.experts), 4, 0.1f);
            const Routed is = emulated(task_of(model, tokens), logits, bias, order);
            EXPECT_EQ(is.fault, 0);
            int compared = 0;
            for (long token = 0; token < tokens; ++token) {
                const auto should =
                    reference::route(row_of(logits, token, model.experts), {bias.begin(), bias.end()}, model.score,
                                     model.k, model.groups, model.kept_groups, model.scale);
                if (should.gap < 1e-6) continue;  // float may decide otherwise
                ++compared;
                for (int i = 0; i < model.k; ++i) {
                    EXPECT_EQ(is.experts[std::size_t(token * model.k + i)], should.experts[std::size_t(i)]);
                    EXPECT_NEAR(is.weights[std::size_t(token * model.k + i)], should.weights[std::size_t(i)], 2e-6);
                }
            }
            EXPECT_GE(compared, 10);
        }
}

// Scores 1/2 everywhere: the bias alone decides, and weights are those of equals.
TEST(Router, bias_decides_who_is_chosen_but_not_the_weight) {
    std::vector<float> bias(128, 0);
    bias[77] = 1, bias[5] = 2, bias[100] = -1;
    const Routed is = emulated({.tokens = 1, .experts = 128, .k = 4, .scale = 2}, std::vector<float>(128, 0), bias);
    EXPECT_EQ(is.experts, (std::vector<std::int32_t>{5, 77, 0, 1}));  // of equals the lowest
    EXPECT_EQ(is.weights, std::vector<float>(4, 0.5f));               // 2 * (1/2) / (4 * 1/2)
}

// Two groups of 64. The first has the best single expert, the second the better pair: 0.9 + 0.5 < 0.8 + 0.8 in scores.
TEST(Router, a_group_counts_by_its_two_best) {
    std::vector<float> logits(128, 0);
    logits[3] = std::log(9.0f), logits[70] = logits[90] = std::log(4.0f);
    const Routed is = emulated({.tokens = 1, .experts = 128, .k = 3, .groups = 2, .kept_groups = 1}, logits, {});
    EXPECT_EQ(is.experts, (std::vector<std::int32_t>{70, 90, 64}));
}

TEST(Router, of_equal_groups_the_lowest_stay) {
    const Routed is =
        emulated({.tokens = 1, .experts = 256, .k = 8, .groups = 8, .kept_groups = 4}, std::vector<float>(256, 1), {});
    EXPECT_EQ(is.experts, (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Router, dead_tokens_go_nowhere) {
    const std::uint8_t alive[] = {1, 0, 1};
    const Routed is = emulated({.alive = alive, .tokens = 3, .experts = 128, .k = 2}, normal(384, 5), {});
    EXPECT_EQ(is.experts[2], -1);
    EXPECT_EQ(is.experts[3], -1);
    EXPECT_EQ(is.weights[2], 0);
    EXPECT_EQ(is.weights[3], 0);
    EXPECT_GE(is.experts[0], 0);
    EXPECT_GE(is.experts[4], 0);
}

TEST(Router, whatever_the_logits_experts_are_in_range_and_different_and_weights_finite) {
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    for (const Score score : {Score::sigmoid, Score::sqrt_softplus, Score::softmax})
        for (const float fill : {nan, infinity, -infinity, 3e38f, 0.0f})
            for (const float other : {nan, infinity, 1.0f}) {
                std::vector<float> logits(256, fill), bias(256, 0);
                logits[9] = other, bias[30] = nan, bias[31] = infinity;
                const Routed is = emulated(
                    {.tokens = 1, .experts = 256, .k = 8, .score = score, .groups = 8, .kept_groups = 4}, logits, bias);
                std::vector<std::int32_t> sorted = is.experts;
                std::ranges::sort(sorted);
                EXPECT_TRUE(std::ranges::adjacent_find(sorted) == sorted.end());
                EXPECT_GE(sorted.front(), 0);
                EXPECT_LT(sorted.back(), 256);
                for (const float weight : is.weights) EXPECT_TRUE(std::isfinite(weight));
                EXPECT_EQ(is.fault, fill != fill || other != other ? kNanLogit : 0);
            }
}

TEST(Router, a_nan_among_numbers_is_not_chosen) {
    std::vector<float> logits = normal(128, 6);
    logits[17] = std::numeric_limits<float>::quiet_NaN();
    const Routed is = emulated({.tokens = 1, .experts = 128, .k = 32}, logits, {});
    EXPECT_TRUE(std::ranges::find(is.experts, 17) == is.experts.end());
    EXPECT_EQ(is.fault, kNanLogit);
}

TEST(Router, scores_of_zero_give_weights_of_zero) {
    const Routed is = emulated({.tokens = 1, .experts = 128, .k = 2}, std::vector<float>(128, -200), {});
    EXPECT_EQ(is.weights, std::vector<float>(2, 0));  // 0 / 1e-20
}

// A token's experts stand in a table; its weights still come from its logits.
TEST(Router, hash_routed_layers_read_a_table) {
    std::vector<float> logits(3 * 128, 0);
    logits[40] = std::log(3.0f);  // of token 0: score 3/4 against 1/2
    const std::int32_t table[] = {40, 41, 9, 8, 7, 600}, ids[] = {0, 5, 2};
    for (const ThreadOrder order : kThreadOrders) {
        const Routed is =
            emulated({.tokens = 3, .experts = 128, .k = 2, .table = table, .token_ids = ids, .vocabulary = 3}, logits,
                     std::vector<float>(128, 9), order);
        EXPECT_EQ(is.experts, (std::vector<std::int32_t>{40, 41, -1, -1, 7, -1}));
        EXPECT_NEAR(is.weights[0], 0.6, 1e-6);
        EXPECT_NEAR(is.weights[1], 0.4, 1e-6);
        EXPECT_EQ(is.weights[2], 0);  // token 5 is not in a vocabulary of 3
        EXPECT_NEAR(is.weights[4], 1, 1e-6);
        EXPECT_EQ(is.weights[5], 0);  // there is no expert 600
        EXPECT_EQ(is.fault, kNoSuchExpert);
    }
}

TEST(Router, copies_of_an_expert_take_turns) {
    const std::int32_t copies_of_0 = 3, most = 3, tokens = 5, rank = 1;
    std::vector<std::int32_t> copies(128, 1), physical(128 * 3, -1);
    for (int expert = 0; expert < 128; ++expert) physical[std::size_t(expert) * most] = expert;
    copies[0] = copies_of_0, physical[1] = 128, physical[2] = 129;
    std::vector<float> logits(std::size_t(tokens) * 128, -5);
    for (int token = 0; token < tokens; ++token) logits[std::size_t(token) * 128] = 5;
    const Routed is = emulated({.tokens = tokens,
                                .experts = 128,
                                .k = 1,
                                .copies = copies.data(),
                                .physical_of = physical.data(),
                                .most_copies = most,
                                .rank = rank},
                               logits, {});
    for (int token = 0; token < tokens; ++token)
        EXPECT_EQ(is.experts[std::size_t(token)],
                  physical[std::size_t(reference::replica_of(rank, token, copies_of_0))]);
    EXPECT_EQ(is.experts[0], 128);  // (1 + 0) % 3 = 1
    EXPECT_EQ(is.experts[1], 0);    // (1 + 23333) % 3 = 0
    copies[0] = 4;                  // more than there is room for: refused, not read
    EXPECT_EQ(emulated({.tokens = 1,
                        .experts = 128,
                        .k = 1,
                        .copies = copies.data(),
                        .physical_of = physical.data(),
                        .most_copies = most},
                       logits, {})
                  .experts[0],
              -1);
}

TEST(Router, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(RouteTask{.tokens = 1, .experts = 100, .k = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(RouteTask{.tokens = 0, .experts = 128, .k = 33}), std::invalid_argument);
    EXPECT_THROW(require_valid(RouteTask{.tokens = 0, .experts = 128, .k = 8, .groups = 3}), std::invalid_argument);
    EXPECT_THROW(require_valid(RouteTask{.tokens = 0, .experts = 128, .k = 17, .groups = 8, .kept_groups = 1}),
                 std::invalid_argument);  // a group has 16
    EXPECT_THROW(require_valid(RouteTask{.tokens = 1, .experts = 128, .k = 1}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(RouteTask{.tokens = 0, .experts = 128, .k = 1}));
}

// Loads 4, 2, 3, 3: mean 3. Bias falls by 1/8, grows by 1/8, and stays.
TEST(BiasUpdate, moves_towards_the_mean_load) {
    std::vector<std::int32_t> counts{4, 2, 3, 3};
    for (const ThreadOrder order : kThreadOrders) {
        std::vector<float> bias{1, 1, 1, -2};
        const BiasUpdateTask task{.counts = counts.data(), .bias = bias.data(), .experts = 4, .speed = 0.125f};
        emulate(grid_of(task), order, [&](EmulatedThread& t) { update_bias(t, task); });
        EXPECT_EQ(bias, (std::vector<float>{0.875f, 1.125f, 1, -2}));
    }
}

TEST(BiasUpdate, matches_the_reference_for_more_experts_than_threads) {
    std::mt19937_64 random(8);
    std::vector<std::int32_t> counts(384);
    for (std::int32_t& count : counts) count = std::int32_t(random() % 7) + 2000000000;  // sums need 64 bits
    std::vector<float> bias(384, 0);
    const BiasUpdateTask task{.counts = counts.data(), .bias = bias.data(), .experts = 384, .speed = 1};
    require_valid(task);
    emulate(grid_of(task), ThreadOrder::shuffled, [&](EmulatedThread& t) { update_bias(t, task); });
    const auto should = reference::updated_bias(counts, std::vector<double>(384), 1);
    for (std::size_t i = 0; i < 384; ++i) EXPECT_EQ(bias[i], should[i]);
    EXPECT_THROW(require_valid(BiasUpdateTask{.experts = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
