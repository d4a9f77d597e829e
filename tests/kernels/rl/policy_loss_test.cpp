#include "kernels/rl/policy_loss_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/rl/grpo_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

std::vector<float> advantages(const std::vector<float>& rewards, long size, ThreadOrder order = ThreadOrder::forward) {
    std::vector<float> out(rewards.size(), -7);
    const GroupAdvantageTask task{.rewards = rewards.data(),
                                  .advantages = out.data(),
                                  .groups = long(rewards.size()) / size,
                                  .size = size,
                                  .epsilon = 1e-4f};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { group_advantage(t, task); });
    return out;
}

TEST(GroupAdvantage, matches_the_reference_in_every_thread_order) {
    std::mt19937_64 random(1);
    std::normal_distribution<float> values(3, 2);
    for (const long size : {2L, 16L, 67L}) {
        std::vector<float> rewards(std::size_t(size * 11));
        for (float& one : rewards) one = values(random);
        const auto should = reference::group_advantages({rewards.begin(), rewards.end()}, size, double(1e-4f));
        for (const ThreadOrder order : kThreadOrders) {
            const auto is = advantages(rewards, size, order);
            for (std::size_t i = 0; i < is.size(); ++i) EXPECT_NEAR(is[i], should[i], 1e-6);
        }
    }
}

// Rewards 1, 2, 3: mean 2, deviation sqrt((1 + 0 + 1) / 2) = 1.
TEST(GroupAdvantage, by_hand) {
    const auto is = advantages({1, 2, 3}, 3);
    EXPECT_NEAR(is[0], -1 / 1.0001, 1e-6);
    EXPECT_EQ(is[1], 0);
    EXPECT_NEAR(is[2], 1 / 1.0001, 1e-6);
}

TEST(GroupAdvantage, equal_rewards_and_a_group_of_one_have_none) {
    for (const float one : advantages(std::vector<float>(21, 0.1f), 7)) EXPECT_EQ(one, 0);
    EXPECT_EQ(advantages({42.0f}, 1)[0], 0);
}

TEST(GroupAdvantage, a_nan_stays_within_its_group) {
    const auto is = advantages({NAN, 1, 0, 1}, 2);
    EXPECT_TRUE(std::isnan(is[0]) && std::isnan(is[1]));
    EXPECT_FALSE(std::isnan(is[2]) || std::isnan(is[3]));
}

struct Batch {
    std::vector<float> logp{}, old_logp{}, reference_logp{}, advantages{};
    std::vector<std::uint8_t> counted{};  // empty: all count
    std::vector<long> offsets{};

    reference::PolicyBatch in_double() const {
        return {.logp = {logp.begin(), logp.end()},
                .old_logp = {old_logp.begin(), old_logp.end()},
                .reference_logp = {reference_logp.begin(), reference_logp.end()},
                .counted = {counted.begin(), counted.end()},
                .offsets = offsets,
                .advantages = {advantages.begin(), advantages.end()}};
    }
};

// Sequences of 1, 300 and 41 tokens, with prompts that do not count.
Batch random_batch() {
    std::mt19937_64 random(2);
    std::normal_distribution<float> noise(0, 0.4f);
    Batch batch{.advantages = {1.5f, -0.7f, -2.0f}, .offsets = {0, 1, 301, 342}};
    for (int i = 0; i < 342; ++i) {
        batch.logp.push_back(-2 + noise(random));
        batch.old_logp.push_back(batch.logp.back() + noise(random));
        batch.reference_logp.push_back(batch.logp.back() + noise(random));
        batch.counted.push_back(i == 0 || i % 5 != 1);
    }
    return batch;
}

struct Losses {
    std::vector<float> losses, slopes;
    PolicyTotals totals{};
    int error = 0;
};

Losses emulated(const Batch& batch, const GrpoOptions& options, ThreadOrder order = ThreadOrder::forward) {
    Losses out{std::vector<float>(batch.logp.size(), -7), std::vector<float>(batch.logp.size(), -7)};
    std::vector<SequenceSums> sums(batch.advantages.size());
    const PolicyLossTask task{.logp = batch.logp.data(),
                              .old_logp = batch.old_logp.data(),
                              .reference_logp = batch.reference_logp.data(),
                              .counted = batch.counted.empty() ? nullptr : batch.counted.data(),
                              .offsets = batch.offsets.data(),
                              .advantages = batch.advantages.data(),
                              .losses = out.losses.data(),
                              .slopes = out.slopes.data(),
                              .sums = sums.data(),
                              .totals = &out.totals,
                              .error = &out.error,
                              .tokens = long(batch.logp.size()),
                              .sequences = long(batch.advantages.size()),
                              .options = options};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { policy_loss(t, task); });
    emulate(totals_grid_of(task), order, [&](EmulatedThread& t) { policy_totals(t, task); });
    return out;
}

std::vector<GrpoOptions> every_form() {
    std::vector<GrpoOptions> all;
    for (const Aggregation aggregation : {Aggregation::tokens, Aggregation::sequences})
        for (const float cap : {0.0f, 1.6f})
            for (const float kl_weight : {0.0f, 0.04f})
                for (const bool unbiased : {false, true})
                    all.push_back({.clip_low = 0.2f,
                                   .clip_high = 0.3f,
                                   .cap = cap,
                                   .kl_weight = kl_weight,
                                   .unbiased_kl = unbiased,
                                   .off_policy_limit = unbiased ? 0.001f : 0.0f,
                                   .aggregation = aggregation});
    return all;
}

TEST(PolicyLoss, every_form_matches_the_reference) {
    const Batch batch = random_batch();
    int which = 0;
    for (const GrpoOptions& options : every_form()) {
        const Losses is = emulated(batch, options, kThreadOrders[which++ % 3]);
        const auto should = reference::policy_loss(batch.in_double(), options);
        EXPECT_NEAR(is.totals.loss, should.loss, 1e-5);
        EXPECT_NEAR(is.totals.kl, should.kl, 1e-5);
        EXPECT_EQ(is.error, 0);
        for (std::size_t t = 0; t < is.losses.size(); ++t) {
            ASSERT_NEAR(is.losses[t], should.token_losses[t], 1e-5);
            ASSERT_NEAR(double(is.slopes[t]) * double(is.totals.weight), should.slopes[t], 1e-6);
        }
    }
}

TEST(PolicyLoss, the_references_slopes_are_those_of_finite_differences) {
    for (const GrpoOptions& options : every_form()) {
        const auto batch = random_batch().in_double();
        const auto losses = reference::policy_loss(batch, options);
        for (const std::size_t t : {0, 2, 17, 77, 150, 302, 340}) {
            auto up = batch, down = batch;
            up.logp[t] += 1e-6, down.logp[t] -= 1e-6;
            const double should =
                (reference::policy_loss(up, options).loss - reference::policy_loss(down, options).loss) / 2e-6;
            EXPECT_NEAR(losses.slopes[t], should, 1e-8) << t;
        }
    }
}

// One token, ratio 2, clip 0.2. A = 1: min(2, 1.2) = 1.2 and no slope; A = -1: min(-2, -1.2) = -2, slope 2; with a cap
// of 1.5, -1.5 and no slope.
TEST(PolicyLoss, by_hand) {
    Batch batch{.logp = {0},
                .old_logp = {-std::log(2.0f)},
                .reference_logp = {0},
                .advantages = {1},
                .counted = {1},
                .offsets = {0, 1}};
    GrpoOptions options{.kl_weight = 0};
    EXPECT_NEAR(emulated(batch, options).losses[0], -1.2, 1e-6);
    EXPECT_EQ(emulated(batch, options).slopes[0], 0);
    batch.advantages = {-1};
    EXPECT_NEAR(emulated(batch, options).losses[0], 2, 1e-6);
    EXPECT_NEAR(emulated(batch, options).slopes[0], 2, 1e-6);
    options.cap = 1.5f;
    EXPECT_NEAR(emulated(batch, options).losses[0], 1.5, 1e-6);
    EXPECT_EQ(emulated(batch, options).slopes[0], 0);
}

// Sequences of one and of three tokens, loss 1 a token of the first and 2 of the second: by sequence (1 + 2) / 2, by
// token (1 + 2 * 3) / 4.
TEST(PolicyLoss, aggregates_by_sequence_or_by_token) {
    Batch batch{.logp = {0, 0, 0, 0},
                .old_logp = {0, 0, 0, 0},
                .reference_logp = {0, 0, 0, 0},
                .advantages = {-1, -2},
                .counted = {},
                .offsets = {0, 1, 4}};
    EXPECT_FLOAT_EQ(emulated(batch, {.kl_weight = 0, .aggregation = Aggregation::sequences}).totals.loss, 1.5f);
    EXPECT_FLOAT_EQ(emulated(batch, {.kl_weight = 0, .aggregation = Aggregation::tokens}).totals.loss, 1.75f);
}

// log(old / new) = 1 for both: the bad sequence is off policy and left out, the good one is not.
TEST(PolicyLoss, leaves_out_bad_sequences_that_are_off_policy_and_keeps_their_kl) {
    Batch batch{.logp = {-2, -2},
                .old_logp = {-1, -1},
                .reference_logp = {-1, -1},
                .advantages = {-1, 1},
                .counted = {1, 1},
                .offsets = {0, 1, 2}};
    const Losses is = emulated(batch, {.kl_weight = 0.5f, .off_policy_limit = 0.9f});
    EXPECT_NEAR(is.losses[0], 0.5 * (std::exp(1.0) - 2), 1e-6);
    EXPECT_NEAR(is.losses[1], -std::exp(-1.0) + 0.5 * (std::exp(1.0) - 2), 1e-6);
}

TEST(PolicyLoss, no_advantage_is_no_loss_even_where_the_ratio_overflows) {
    Batch batch{
        .logp = {0}, .old_logp = {-200}, .reference_logp = {0}, .advantages = {0}, .counted = {1}, .offsets = {0, 1}};
    EXPECT_EQ(emulated(batch, {}).losses[0], 0);
    EXPECT_EQ(emulated(batch, {}).slopes[0], 0);
}

TEST(PolicyLoss, a_nan_stays_seen) {
    Batch batch = random_batch();
    batch.logp[5] = NAN;
    for (const float cap : {0.0f, 2.0f}) EXPECT_TRUE(std::isnan(emulated(batch, {.cap = cap}).totals.loss));
}

TEST(PolicyLoss, offsets_outside_the_tokens_raise_the_error) {
    for (const std::vector<long>& offsets : std::vector<std::vector<long>>{
             {0, 1, 301, 343}, {-1, 1, 301, 342}, {0, 302, 301, 342}, {0, 1, LONG_MAX, 342}}) {
        Batch batch = random_batch();
        batch.offsets = offsets;
        EXPECT_EQ(emulated(batch, {}).error, kSequencesOutOfRange);
    }
}

TEST(PolicyLoss, of_nothing_is_zero) {
    Batch batch = random_batch();
    batch.counted.assign(batch.counted.size(), 0);
    for (const Aggregation aggregation : {Aggregation::tokens, Aggregation::sequences}) {
        const Losses is = emulated(batch, {.aggregation = aggregation});
        EXPECT_EQ(is.totals.loss, 0);
        EXPECT_EQ(is.totals.counted, 0);
        for (const float slope : is.slopes) EXPECT_EQ(slope, 0);
    }
}

TEST(PolicyLoss, refuses_what_it_does_not_take) {
    int error = 0;
    PolicyTotals totals{};
    const PolicyLossTask empty{.totals = &totals, .error = &error};
    EXPECT_NO_THROW(require_valid(empty));
    PolicyLossTask task = empty;
    task.options.cap = 1.1f;  // not above 1 + clip_high
    EXPECT_THROW(require_valid(task), std::invalid_argument);
    task = empty, task.tokens = 3;
    EXPECT_THROW(require_valid(task), std::invalid_argument);
    EXPECT_THROW(require_valid(GroupAdvantageTask{.groups = 1, .size = 0}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
