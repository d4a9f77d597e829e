// An RL iteration as the sum of its parts.
#include <gtest/gtest.h>

#include "sim/training/rl_iteration.hpp"

namespace strata {
namespace {

RlSpec plain() {
    RlSpec spec;
    spec.servers.pool.replica = {.max_batch = 8, .step_tokens = 1000, .kv_tokens = 1e6};
    spec.servers.pool.replica.times = {.decode = [](double, double) { return Seconds(1); },
                                       .prefill = [](double tokens, double) { return Seconds(0.01 * tokens); }};
    spec.prompts = 2;
    spec.answers = 4;
    spec.prompt_tokens = FixedLength{10};
    spec.answer_tokens = FixedLength{11};
    spec.update = [](double tokens) { return Seconds(0.1 * tokens); };
    return spec;
}

TEST(RlIteration, is_the_sum_of_its_parts) {
    RlSpec spec = plain();
    spec.judging = Seconds(2);
    spec.judges = 4;
    spec.readers = {{.tokens_per_second = 21, .load = Seconds(3)}, {.tokens_per_second = 42}};
    spec.weights = Bytes(100);
    spec.sync = Bandwidth(50);
    // 8 answers of 11 tokens: 80 prompt tokens in 0.8 s, 10 steps. 8 judged by 4: 2 x 2 s. 168 tokens read in 8 + 3 and
    // 4 s, learned from in 16.8 s; 2 s of weights.
    RlIteration iteration = simulate_rl_iteration(spec);
    EXPECT_DOUBLE_EQ(iteration.tokens, 168);
    EXPECT_NEAR(iteration.rollout.si(), 10.8, 1e-9);
    EXPECT_NEAR(iteration.judging.si(), 4, 1e-9);
    EXPECT_NEAR(iteration.reading.si(), 15, 1e-9);
    EXPECT_NEAR(iteration.update.si(), 16.8, 1e-9);
    EXPECT_NEAR(iteration.time.si(), 10.8 + 4 + 15 + 16.8 + 2, 1e-9);
    spec.rolls_out_ahead = true;
    EXPECT_NEAR(simulate_rl_iteration(spec).time.si(), 4 + 15 + 16.8 + 2, 1e-9);
}

TEST(RlIteration, answers_that_are_judged_as_they_end_leave_little_to_wait_for) {
    RlSpec spec = plain();
    spec.prompts = 64;
    spec.answer_tokens = LogNormalLength{200, 1, 4000};
    spec.judging = Seconds(3);
    spec.judges = 4;
    const Seconds as_they_end = simulate_rl_iteration(spec).judging;
    spec.judge_as_they_end = false;
    EXPECT_NEAR(simulate_rl_iteration(spec).judging.si(), 256 / 4 * 3, 1e-6);
    EXPECT_LT(as_they_end.si(), 10);
}

TEST(RlIteration, long_answers_leave_a_tail_in_which_servers_idle) {
    RlSpec spec = plain();
    spec.prompts = 16;
    spec.servers.pool.replica.max_batch = 64;
    const RlIteration even = simulate_rl_iteration(spec);
    spec.answer_tokens = LogNormalLength{11, 1.5, 4000};
    const RlIteration uneven = simulate_rl_iteration(spec);
    EXPECT_LT(even.tail / even.rollout, 0.1);
    EXPECT_GT(uneven.tail / uneven.rollout, 0.5);
}

TEST(RlIteration, answers_to_one_prompt_share_its_prefill) {
    RlSpec spec = plain();
    spec.servers.prefix_cache_tokens = 1000;
    spec.servers.pool.replica.max_batch = 1;  // so that the first has computed it
    // Of each group of 4 with 10 tokens, 3 find 9.
    EXPECT_NEAR(simulate_rl_iteration(spec).serving.prefix_hits, 2 * 3 * 9 / 80.0, 1e-12);
}

TEST(RlIteration, refuses_what_makes_no_sense) {
    RlSpec spec = plain();
    spec.judges = 0;
    EXPECT_THROW((void)simulate_rl_iteration(spec), InputError);
    spec = plain();
    spec.weights = Bytes(1);
    EXPECT_THROW((void)simulate_rl_iteration(spec), InputError);
}

}  // namespace
}  // namespace strata
