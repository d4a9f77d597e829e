// Each rule of the scheduler on a case small enough for a pencil. A decode step takes 1 s, a prefill 10 ms a token.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/serving/arrivals.hpp"
#include "sim/serving/serving.hpp"

namespace strata {
namespace {

ReplicaSpec batched_replica(int max_batch, double kv_tokens) {
    ReplicaSpec spec{.max_batch = max_batch, .step_tokens = 100, .kv_tokens = kv_tokens};
    spec.times = {.decode = [](double, double) { return Seconds(1); },
                  .prefill = [](double tokens, double) { return Seconds(0.01 * tokens); }};
    return spec;
}

ServingSpec serving_of(const ReplicaSpec& replica) {
    ServingSpec spec;
    spec.pool.replica = replica;
    return spec;
}

Request request(double at, int input, int output) {
    return {.arrival = Seconds(at), .input_tokens = input, .output_tokens = output};
}

TEST(ServingFeatures, a_request_alone_takes_its_prefill_and_a_step_for_each_further_token) {
    const ServingRun run = simulate_serving(serving_of(batched_replica(4, 1000)), {request(2, 50, 5)});
    EXPECT_DOUBLE_EQ(run.metrics.ttft.p50.si(), 0.5);
    EXPECT_DOUBLE_EQ(run.metrics.tpot.p50.si(), 1);
    EXPECT_NEAR(run.metrics.itl.p50.si(), 1, 0.005);
    EXPECT_DOUBLE_EQ(run.metrics.end_to_end.p50.si(), 4.5);
    EXPECT_EQ(run.metrics.output_tokens, 5);
}

// Two users, three requests of 1.5 s each (a prompt of 50, then one step): the third is asked when an answer ends, and
// does not wait for it.
TEST(ServingFeatures, in_a_closed_loop_a_user_asks_again_when_the_answer_has_ended) {
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.users = 1;
    const ServingRun one = simulate_serving(spec, {request(0, 50, 2), request(0, 50, 2), request(0, 50, 2)});
    EXPECT_DOUBLE_EQ(one.metrics.duration.si(), 4.5);
    EXPECT_DOUBLE_EQ(one.metrics.ttft.p99.si(), 0.5) << "nobody waits";
    spec.users = 2;
    const ServingRun two = simulate_serving(spec, {request(0, 50, 2), request(0, 50, 2), request(0, 50, 2)});
    EXPECT_LT(two.metrics.duration.si(), 4.5);
    EXPECT_EQ(two.metrics.output_tokens, 6);
    spec.users = 0;
    const ServingRun open = simulate_serving(spec, {request(0, 50, 2), request(0, 50, 2), request(0, 50, 2)});
    EXPECT_GT(open.metrics.ttft.p99.si(), one.metrics.ttft.p99.si());
}

TEST(ServingFeatures, chunks_of_a_prompt_share_steps_with_decodes_and_whole_prompts_hold_them_up) {
    // The second prompt of 198 arrives while the first request decodes: chunks of 99 beside it in two steps of 1.99 s,
    // or 1.98 s of its own. The first has 10 more tokens to come: at the end 10 s of decoding and 1.98 s of prefill.
    ReplicaSpec replica = batched_replica(4, 1000);
    const std::vector<Request> requests{request(0, 1, 11), request(1.5, 198, 2)};
    const ServingRun chunked = simulate_serving(serving_of(replica), requests);
    replica.prefill_order = PrefillOrder::first;
    const ServingRun first = simulate_serving(serving_of(replica), requests);
    EXPECT_DOUBLE_EQ(chunked.records[1].first_token.si(), 0.01 + 2 + 2 * 1.99);
    EXPECT_DOUBLE_EQ(first.records[1].first_token.si(), 0.01 + 2 + 1.98);
    EXPECT_NEAR(chunked.records[0].finish.si(), 0.01 + 10 + 1.98, 1e-12);
    EXPECT_NEAR(first.records[0].finish.si(), 0.01 + 10 + 1.98, 1e-12);
    EXPECT_NEAR(first.metrics.itl.p99.si(), 2.98, 0.02);    // the longest gap holds a whole prefill
    EXPECT_NEAR(chunked.metrics.itl.p99.si(), 1.99, 0.02);  // or a chunk of one
}

TEST(ServingFeatures, a_fixed_batch_waits_for_its_longest_and_a_continuous_one_does_not) {
    // Two slots; a short and a long request, then another short one: it starts after 1 more token or after 9.
    ReplicaSpec replica = batched_replica(2, 1000);
    const std::vector<Request> requests{request(0, 1, 2), request(0, 1, 10), request(0, 1, 2)};
    const ServingRun continuous = simulate_serving(serving_of(replica), requests);
    replica.batching = Batching::fixed;
    const ServingRun fixed = simulate_serving(serving_of(replica), requests);
    EXPECT_NEAR(continuous.records[2].first_token.si(), 0.02 + 1 + 1 + 0.01, 1e-12);  // beside a decode step
    EXPECT_NEAR(fixed.records[2].first_token.si(), 0.02 + 9 + 0.01, 1e-12);
    EXPECT_NEAR(fixed.records[0].finish.si(), 1.02, 1e-12);  // its tokens are delivered as they come
}

TEST(ServingFeatures, a_fixed_batch_computes_padding) {
    ReplicaSpec replica = batched_replica(2, 1000);
    replica.batching = Batching::fixed;
    replica.times.decode = [](double batch, double) { return Seconds(batch); };
    // 1 step of two, then 8 in which one of the two is padding.
    const ServingRun run = simulate_serving(serving_of(replica), {request(0, 1, 2), request(0, 1, 10)});
    EXPECT_NEAR(run.metrics.duration.si(), 0.02 + 9 * 2, 1e-12);
}

TEST(ServingFeatures, a_cached_prefix_is_not_computed_again_and_the_least_recently_used_goes) {
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.prefix_cache_tokens = 100;
    std::vector<Request> requests;
    for (const int prefix : {1, 1, 2, 1, 3, 1, 2}) {  // 3 pushes out 2, since 1 was used after it
        requests.push_back(request(10.0 * double(requests.size()), 60, 1));
        requests.back().prefix = prefix;
        requests.back().prefix_tokens = 50;
    }
    const ServingRun run = simulate_serving(spec, requests);
    std::vector<int> cached;
    for (const RequestRecord& record : run.records) cached.push_back(record.cached);
    EXPECT_EQ(cached, (std::vector<int>{0, 50, 0, 50, 0, 50, 0}));
    EXPECT_NEAR((run.records[1].first_token - requests[1].arrival).si(), 0.1, 1e-9);  // 10 tokens of 60
    EXPECT_NEAR(run.metrics.prefix_hits, 150.0 / 420, 1e-12);
}

TEST(ServingFeatures, a_prompt_that_is_cached_whole_still_computes_its_last_token) {
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.prefix_cache_tokens = 100;
    Request whole = request(0, 60, 1);
    whole.prefix = 1;
    whole.prefix_tokens = 60;
    Request again = whole;
    again.arrival = Seconds(10);
    EXPECT_EQ(simulate_serving(spec, {whole, again}).records[1].cached, 59);
}

TEST(ServingFeatures, who_came_last_makes_room_and_computes_again_or_is_swapped) {
    // Two requests of 10 + 10 tokens in 30: after 5 decode steps 15 each, and no room for two more.
    ReplicaSpec replica = batched_replica(4, 30);
    const std::vector<Request> requests{request(0, 10, 10), request(0, 10, 10)};
    const ServingRun again = simulate_serving(serving_of(replica), requests);
    EXPECT_EQ(again.records[0].preemptions, 0);
    EXPECT_EQ(again.records[1].preemptions, 1);
    // 0.2 prefill, 9 steps of the first; then 16 tokens are computed again, which gives the 7th, and 3 steps.
    EXPECT_NEAR(again.records[0].finish.si(), 9.2, 1e-12);
    EXPECT_NEAR(again.records[1].finish.si(), 9.2 + 0.16 + 3, 1e-12);

    replica.preemption = Preemption::swap;
    replica.host_link = {.per_token = Bytes(10), .bandwidth = Bandwidth(300), .latency = Seconds(0.1)};
    const ServingRun swapped = simulate_serving(serving_of(replica), requests);
    // 15 tokens x 10 B at 300 B/s and 0.1 s out, while the first waits, and in; then the 7th to 10th token.
    EXPECT_NEAR(swapped.records[0].finish.si(), 9.2 + 0.6, 1e-12);
    EXPECT_NEAR(swapped.records[1].finish.si(), 9.2 + 0.6 + 0.6 + 4, 1e-12);
}

TEST(ServingFeatures, kv_travels_to_the_decode_pool_one_after_the_other) {
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.decode = {.pool = {.replica = batched_replica(4, 1000)},
                   .link = {.per_token = Bytes(2), .bandwidth = Bandwidth(10), .latency = Seconds(0.5)}};
    const ServingRun run = simulate_serving(spec, {request(0, 10, 2), request(0, 10, 2)});
    // Both prompts end at 0.2 s; 20 B at 10 B/s and 0.5 s each: 2.7 and 5.2 s, then a step.
    EXPECT_NEAR(run.records[0].first_token.si(), 0.2, 1e-12);
    EXPECT_NEAR(run.records[0].finish.si(), 3.7, 1e-12);
    EXPECT_NEAR(run.records[1].finish.si(), 6.2, 1e-12);
    EXPECT_EQ(run.metrics.pool.accelerators + run.metrics.decode_pool.accelerators, 2);
}

TEST(ServingFeatures, kv_that_arrives_joins_the_next_decode_step) {
    // Prefills take 0.25 s and decode steps 0.5 s. The second prompt arrives at 10.25 s, when a decode step of the
    // first request ends too; its KV is there at 10.5 s and joins the step from 10.75 s on.
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.decode = {.pool = {.replica = batched_replica(4, 1000)}, .link = {}};
    spec.decode->pool.replica.times.decode = [](double, double) { return Seconds(0.5); };
    spec.pool.replica.times.prefill = [](double, double) { return Seconds(0.25); };
    const ServingRun run = simulate_serving(spec, {request(0, 10, 100), request(10.25, 20, 2)});
    EXPECT_DOUBLE_EQ(run.records[1].first_token.si(), 10.5);
    EXPECT_DOUBLE_EQ(run.records[1].finish.si(), 11.25);
}

TEST(ServingFeatures, host_time_is_hidden_by_asynchronous_scheduling_only) {
    ReplicaSpec replica = batched_replica(4, 1000);
    replica.host_time = Seconds(0.25);
    EXPECT_NEAR(simulate_serving(serving_of(replica), {request(0, 50, 5)}).metrics.duration.si(), 4.5, 1e-12);
    replica.host_overlaps = false;
    EXPECT_NEAR(simulate_serving(serving_of(replica), {request(0, 50, 5)}).metrics.duration.si(), 4.5 + 5 * 0.25,
                1e-12);
}

TEST(ServingFeatures, drafts_give_the_tokens_a_step_that_acceptance_says) {
    // DeepSeek-V3 reports 85-90 % for its one draft: 1.85 to 1.9 tokens a step, and 1.8 times the speed.
    for (const std::vector<double>& accepted : {std::vector<double>{0.85}, {0.8, 0.6, 0.4}}) {
        ReplicaSpec replica = batched_replica(64, 1e6);
        replica.step_tokens = 1000;
        replica.times.prefill = [](double, double) { return Seconds(0); };
        replica.drafts = DraftAcceptance(accepted, 3);
        const double expected = replica.drafts.mean_tokens_per_step();
        const auto requests =
            synthetic_requests({.requests = 640, .input = FixedLength{10}, .output = FixedLength{1001}, .seed = 1});
        const ServingRun run = simulate_serving(serving_of(replica), requests);
        EXPECT_NEAR(1 / run.metrics.tpot.mean.si(), expected, 0.01 * expected);
        EXPECT_EQ(run.metrics.output_tokens, 640 * 1001);
    }
    EXPECT_DOUBLE_EQ(DraftAcceptance({0.8, 0.6, 0.4}).mean_tokens_per_step(), 1 + 0.8 + 0.48 + 0.192);
}

TEST(ServingFeatures, a_lost_rank_costs_its_kv_a_pause_and_speed_but_no_request) {
    // Two ranks; request 1 lies on rank 1, which fails in the step that would end at 5.2 s. After 2 s request 0 goes on
    // at half the speed beside 1's prompt and its 5 tokens, computed again.
    ReplicaSpec replica = batched_replica(4, 1000);
    replica.accelerators = 2;
    ServingSpec spec = serving_of(replica);
    spec.failures = {{.at = Seconds(5), .replica = 0, .rank = 1, .pause = Seconds(2), .repaired = Seconds(1000)}};
    const ServingRun run = simulate_serving(spec, {request(0, 10, 10), request(0, 10, 10)});
    EXPECT_EQ(run.records[0].losses, 0);
    EXPECT_EQ(run.records[1].losses, 1);
    // 5 tokens each by 4.2 s; at 7 s a step of 2 x (1 + 0.15) s, then 4 of 2 s.
    EXPECT_NEAR(run.records[0].finish.si(), 7 + 2.3 + 8, 1e-12);
    EXPECT_NEAR(run.records[1].finish.si(), 7 + 2.3 + 8, 1e-12);
    EXPECT_EQ(run.metrics.output_tokens, 20);
}

TEST(ServingFeatures, a_replica_without_ranks_serves_again_after_repair) {
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.failures = {{.at = Seconds(5), .pause = Seconds(2), .repaired = Seconds(100)}};
    const ServingRun run = simulate_serving(spec, {request(0, 10, 10), request(50, 10, 1)});
    EXPECT_EQ(run.records[0].losses, 1);
    // 5 tokens by 4.1 s. After repair 15 tokens are computed again beside the second request's prompt of 10, which
    // gives the 6th, and 4 more follow.
    EXPECT_NEAR(run.records[0].finish.si(), 105 + 0.25 + 4, 1e-12);
    EXPECT_NEAR(run.records[1].first_token.si(), 105.25, 1e-12);
}

// Four requests of one group each: a step of 3 takes as long as one of 4, as two of the groups' two ranks have two.
TEST(ServingFeatures, a_step_lasts_as_long_as_that_of_the_fullest_group) {
    ReplicaSpec replica = batched_replica(4, 1000);
    replica.groups = 2;
    replica.times.decode = [](double batch, double) { return Seconds(batch); };
    const std::vector<Request> three{request(0, 10, 2), request(0, 10, 2), request(0, 10, 2)};
    // Prompts of 10 tokens in groups of two and one: as long as 40 tokens, 0.4 s. Then one decode step as of 4.
    const ServingRun run = simulate_serving(serving_of(replica), three);
    EXPECT_NEAR(run.records[2].first_token.si(), 0.4, 1e-12);
    EXPECT_NEAR(run.records[2].finish.si(), 4.4, 1e-12);
}

// One decodes; the prompt of another waits for one of the other group, three steps at most.
TEST(ServingFeatures, a_prompt_waits_for_those_of_other_groups_but_not_for_ever) {
    ReplicaSpec replica = batched_replica(4, 1000);
    replica.groups = 2;
    replica.wait_steps = 3;
    const ServingRun run = simulate_serving(serving_of(replica), {request(0, 10, 20), request(0.5, 10, 1)});
    // 0.2 s (a step as of two prompts), a step of 1 s; then three that hold it back, and one with its prompt.
    EXPECT_NEAR(run.records[1].first_token.si(), 0.2 + 1 + 3 + 1.2, 1e-12);
}

TEST(ServingFeatures, prompts_wait_for_their_launches_and_the_first_for_the_set_up) {
    ReplicaSpec replica = batched_replica(4, 1000);
    replica.launch_time = Seconds(0.3);
    replica.first_step = Seconds(2);
    const ServingRun run =
        simulate_serving(serving_of(replica), {request(0, 10, 1), request(5, 50, 1), request(9, 10, 1)});
    EXPECT_NEAR(run.records[0].first_token.si(), 2.3, 1e-12);
    EXPECT_NEAR(run.records[1].first_token.si(), 5.5, 1e-12);  // 50 tokens take longer than their launches
    EXPECT_NEAR(run.records[2].first_token.si(), 9.3, 1e-12);
}

TEST(ServingFeatures, users_of_a_decode_pool_that_answers_wait_for_the_transfer) {
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.decode = {.pool = {.replica = batched_replica(4, 1000)},
                   .link = {.per_token = Bytes(2), .bandwidth = Bandwidth(10), .latency = Seconds(0.5)},
                   .delivers_first = true};
    // The prompt ends at 0.1 s; 20 B at 10 B/s and 0.5 s, then a step.
    const ServingRun run = simulate_serving(spec, {request(0, 10, 2)});
    EXPECT_NEAR(run.records[0].first_token.si(), 2.6, 1e-12);
    EXPECT_NEAR(run.records[0].finish.si(), 3.6, 1e-12);
}

std::string serving_refusal(const ServingSpec& spec, const std::vector<Request>& requests) {
    try {
        (void)simulate_serving(spec, requests);
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(ServingFeatures, refuse_what_could_never_be_served) {
    EXPECT_EQ(serving_refusal(serving_of(batched_replica(4, 1000)), {request(0, 900, 102)}),
              "request 0: expected room in kv_tokens for it by itself, found 900 and 102");
    EXPECT_EQ(
        serving_refusal(serving_of(batched_replica(100, 1000)), {request(0, 9, 1)}),
        "pool.step_tokens: expected more than the 100 tokens of a full batch, or prompts would never be computed, "
        "found 100");
    EXPECT_EQ(serving_refusal(serving_of(batched_replica(0, 1000)), {request(0, 9, 1)}),
              "pool.max_batch: expected a number above 0, found 0");
    ServingSpec spec = serving_of(batched_replica(4, 1000));
    spec.failures = {{.at = Seconds(5), .replica = 1}};
    EXPECT_EQ(serving_refusal(spec, {request(0, 9, 1)}),
              "rank_failures: expected a rank of a replica that is there, found rank 0 of replica 1");
    EXPECT_EQ(serving_refusal(serving_of(batched_replica(4, 1000)), {request(0, 0, 1)}),
              "request 0: expected 1 to 1e9 tokens of input and of output, found 0 and 1");
    EXPECT_EQ(serving_refusal(serving_of(batched_replica(4, 1000)), {request(std::nan(""), 9, 1)}),
              "request 0: expected an arrival no earlier than the one before, found nan s");
    ReplicaSpec backwards = batched_replica(4, 1000);
    backwards.times.decode = [](double, double) { return Seconds(-1); };
    EXPECT_EQ(serving_refusal(serving_of(backwards), {request(0, 9, 3)}),
              "step times: expected a time that is not negative for 1 decodes and 0 prompts, found -1 s");
    EXPECT_EQ(serving_refusal(serving_of(batched_replica(4, 1000)), {request(3, 9, 1), request(2, 9, 1)}),
              "request 1: expected an arrival no earlier than the one before, found 2 s");
}

}  // namespace
}  // namespace strata
