// Whatever the scheduler does: each request ends once with all its tokens, nothing comes before its cause, and the same
// seed gives the same run.
#include <gtest/gtest.h>

#include <functional>

#include "sim/serving/arrivals.hpp"
#include "sim/serving/serving.hpp"

namespace strata {
namespace {

ReplicaSpec replica_of(int accelerators, double kv_tokens) {
    ReplicaSpec spec{.accelerators = accelerators, .max_batch = 16, .step_tokens = 512, .kv_tokens = kv_tokens};
    spec.times = {
        .decode = [](double batch, double context) { return Seconds(5e-3 + 1e-5 * batch + 1e-8 * context); },
        .prefill = [](double tokens, double context) { return Seconds(1e-5 * tokens * (1 + 1e-4 * context)); }};
    return spec;
}

struct Variant {
    const char* name;
    std::function<void(ServingSpec&)> change;
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

class ServingAccounting : public ::testing::TestWithParam<Variant> {
protected:
    static ServingSpec spec() {
        ServingSpec spec{
            .pool = {.replica = replica_of(4, 6000), .replicas = 3}, .decode = {}, .failures = {}, .limits = {}};
        spec.prefix_cache_tokens = 2000;
        spec.limits = {.ttft = Seconds(2), .tpot = Seconds(0.02)};
        GetParam().change(spec);
        return spec;
    }
    static std::vector<Request> requests() {
        return synthetic_requests({.requests = 4000,
                                   .per_second = 40,
                                   .input = LogNormalLength{300, 0.8, 3000},
                                   .output = LogNormalLength{100, 0.8, 1000},
                                   .prefixes = 20,
                                   .prefix_tokens = 128,
                                   .prefix_share = 0.5,
                                   .seed = 11});
    }
};

TEST_P(ServingAccounting, every_request_ends_once_with_all_its_tokens_after_its_causes) {
    const auto asked = requests();
    const ServingRun run = simulate_serving(spec(), asked);  // itself throws where a request ends twice or never
    long long input = 0, output = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const RequestRecord& record = run.records[i];
        EXPECT_TRUE(record.finished);
        EXPECT_EQ(record.delivered, asked[i].output_tokens);
        EXPECT_LE(asked[i].arrival, record.scheduled);
        EXPECT_LT(record.scheduled, record.first_token);
        EXPECT_LE(record.first_token, record.finish);
        EXPECT_LT(record.cached, asked[i].input_tokens);
        input += asked[i].input_tokens;
        output += asked[i].output_tokens;
    }
    EXPECT_EQ(run.metrics.input_tokens, input);
    EXPECT_EQ(run.metrics.output_tokens, output);
    for (const PoolMetrics* pool : {&run.metrics.pool, &run.metrics.decode_pool}) EXPECT_LE(pool->utilisation, 1);
    EXPECT_LE(run.metrics.goodput, run.metrics.requests_per_second);
    EXPECT_LE(run.metrics.ttft.p50, run.metrics.ttft.p99);
    EXPECT_LE(run.metrics.ttft.p99, run.metrics.end_to_end.p99);
}

TEST_P(ServingAccounting, the_same_seed_gives_the_same_run) {
    const auto asked = requests();
    const ServingRun one = simulate_serving(spec(), asked), two = simulate_serving(spec(), asked);
    for (std::size_t i = 0; i < asked.size(); ++i) ASSERT_EQ(one.records[i].finish, two.records[i].finish);
}

TEST(ServingBandwidth, more_of_it_is_never_slower) {
    const auto asked = synthetic_requests({.requests = 500,
                                           .per_second = 20,
                                           .input = LogNormalLength{300, 0.8, 3000},
                                           .output = LogNormalLength{100, 0.8, 1000},
                                           .seed = 11});
    Seconds before(1e30), before_first(1e30);
    for (const double GBps : {1, 4, 16, 64, 256}) {
        ServingSpec spec{.pool = {.replica = replica_of(4, 1e6)}, .decode = {}, .failures = {}, .limits = {}};
        spec.decode = {.pool = {.replica = replica_of(8, 1e6)},
                       .link = {Bytes(70272), Bandwidth(GBps * 1e9), 10.0_us},
                       .delivers_first = true};
        const ServingMetrics metrics = simulate_serving(spec, asked).metrics;
        EXPECT_LE(metrics.end_to_end.mean, before) << GBps;
        EXPECT_LE(metrics.ttft.mean, before_first) << GBps;
        before = metrics.end_to_end.mean;
        before_first = metrics.ttft.mean;
    }
}

const Variant kVariants[] = {
    {"plain", [](ServingSpec&) {}},
    {"prompts_first", [](ServingSpec& spec) { spec.pool.replica.prefill_order = PrefillOrder::first; }},
    {"fixed_batches", [](ServingSpec& spec) { spec.pool.replica.batching = Batching::fixed; }},
    {"drafts",
     [](ServingSpec& spec) {
         spec.pool.replica.drafts = DraftAcceptance({0.85, 0.5}, 1);
     }},
    {"swap",
     [](ServingSpec& spec) {
         spec.pool.replica.preemption = Preemption::swap;
         spec.pool.replica.host_link = {Bytes(70272), 50.0_GBps, 10.0_us};
     }},
    {"pools_apart",
     [](ServingSpec& spec) {
         spec.pool.replicas = 1;
         spec.decode = {.pool = {.replica = replica_of(8, 8000), .replicas = 2},
                        .link = {Bytes(70272), 40.0_GBps, 10.0_us}};
     }},
    {"pools_apart_with_drafts",
     [](ServingSpec& spec) {
         spec.decode = {.pool = {.replica = replica_of(8, 8000), .replicas = 1},
                        .link = {Bytes(70272), 40.0_GBps, 10.0_us}};
         spec.decode->pool.replica.drafts = DraftAcceptance({0.85}, 1);
     }},
    {"pools_apart_that_swap_and_fail",
     [](ServingSpec& spec) {
         spec.decode = {.pool = {.replica = replica_of(8, 8000), .replicas = 2},
                        .link = {Bytes(70272), 40.0_GBps, 10.0_us},
                        .delivers_first = true};
         for (ReplicaSpec* replica : {&spec.pool.replica, &spec.decode->pool.replica}) {
             replica->preemption = Preemption::swap;
             replica->host_link = {Bytes(70272), 50.0_GBps, 10.0_us};
         }
         for (int i = 0; i < 12; ++i)
             spec.failures.push_back({.at = Seconds(3 + 7.0 * i),
                                      .in_decode_pool = i % 2 == 1,
                                      .replica = i % 2,
                                      .rank = i % 4,
                                      .pause = Seconds(1),
                                      .repaired = Seconds(60)});
     }},
    {"groups_that_wait_for_each_other",
     [](ServingSpec& spec) {
         spec.pool.replica.groups = 4;
         spec.pool.replica.wait_steps = 20;
         spec.pool.replica.launch_time = Seconds(0.02);
         spec.pool.replica.first_step = Seconds(1);
     }},
    {"failing_ranks",
     [](ServingSpec& spec) {
         for (int i = 0; i < 12; ++i)
             spec.failures.push_back({.at = Seconds(3 + 7.0 * i),
                                      .in_decode_pool = false,
                                      .replica = i % 3,
                                      .rank = i % 4,
                                      .pause = Seconds(1),
                                      .repaired = Seconds(60)});
     }},
    {"failing_ranks_of_fixed_batches",
     [](ServingSpec& spec) {
         spec.pool.replica.batching = Batching::fixed;
         for (int i = 0; i < 4; ++i)
             spec.failures.push_back({.at = Seconds(3 + 7.0 * i),
                                      .in_decode_pool = false,
                                      .replica = 1,
                                      .rank = i,
                                      .pause = Seconds(1),
                                      .repaired = Seconds(60)});
     }},
};

INSTANTIATE_TEST_SUITE_P(, ServingAccounting, ::testing::ValuesIn(kVariants),
                         [](const auto& variant) { return std::string(variant.param.name); });

TEST(ServingMetrics, count_what_met_both_limits) {
    const std::vector<Request> requests{{Seconds(0), 1, 3}, {Seconds(0), 1, 3}, {Seconds(0), 1, 1}, {Seconds(0), 1, 3}};
    std::vector<RequestRecord> records(4);
    const double first[] = {1, 3, 1, 1}, last[] = {3, 5, 1, 5};  // TPOT 1, 1, none, 2
    for (std::size_t i = 0; i < 4; ++i)
        records[i] = {.scheduled = Seconds(0),
                      .first_token = Seconds(first[i]),
                      .finish = Seconds(last[i]),
                      .delivered = requests[i].output_tokens,
                      .finished = true};
    const ServingMetrics metrics = metrics_of(requests, records, {}, {.ttft = Seconds(2), .tpot = Seconds(1)}, 2);
    EXPECT_DOUBLE_EQ(metrics.served_well, 0.5);
    EXPECT_DOUBLE_EQ(metrics.goodput, 2 / 5.0);
    EXPECT_DOUBLE_EQ(metrics.output_tokens_per_accelerator, 10 / 5.0 / 2);
    EXPECT_DOUBLE_EQ(metrics.tpot.p50.si(), 1);
    EXPECT_DOUBLE_EQ(metrics.tokens_per_user, 1);
    records[2].delivered = 0;
    EXPECT_THROW((void)metrics_of(requests, records, {}, {}, 2), std::logic_error);
}

TEST(ServingMetrics, percentiles_are_by_nearest_rank) {
    std::vector<double> values;
    for (int i = 100; i > 0; --i) values.push_back(i);
    const Percentiles percentiles = percentiles_of(values);
    EXPECT_DOUBLE_EQ(percentiles.p50.si(), 50);
    EXPECT_DOUBLE_EQ(percentiles.p90.si(), 90);
    EXPECT_DOUBLE_EQ(percentiles.p99.si(), 99);
    GapHistogram gaps;
    for (const double value : values) gaps.add(Seconds(value * 1e-3), 2);
    EXPECT_NEAR(gaps.quantile(0.5).si(), 0.050, 0.050 * 0.005);
    EXPECT_NEAR(gaps.mean().si(), 0.0505, 1e-12);
}

}  // namespace
}  // namespace strata
