// A training run under failures against closed forms, and predictions of published runs from rates measured elsewhere.
#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/failure/published_failures.hpp"
#include "sim/failure/serving_failures.hpp"
#include "sim/failure/training_goodput.hpp"
#include "sim/serving/arrivals.hpp"

namespace strata {
namespace {

constexpr double kHour = 3600, kDay = 86400;

GoodputSpec plain(double mtbf_hours) {
    GoodputSpec spec;
    spec.failures = {{.name = "software", .parts = 1, .mtbf = Seconds(mtbf_hours * kHour), .breaks_node = false}};
    spec.duration = Seconds(30'000 * kHour);
    spec.interval = Seconds(1200);
    spec.checkpoint = {.pause = Seconds(60), .until_durable = Seconds(0), .restore = Seconds(100)};
    spec.restart = Seconds(500);
    spec.seed = 1;
    return spec;
}

void expect_whole(const TrainingGoodput& run, Seconds duration) {
    EXPECT_NEAR(run.time.sum().si(), duration.si(), 1e-6 * duration.si());
}

TEST(TrainingGoodput, is_what_daly_expects) {
    for (const double mtbf : {1.0, 3.0, 24.0})
        for (const double interval : {300.0, 1200.0, 5400.0}) {
            GoodputSpec spec = plain(mtbf);
            spec.interval = Seconds(interval);
            const TrainingGoodput run = simulate_goodput(spec);
            const double expected =
                expected_efficiency(spec.interval, spec.checkpoint.pause, Seconds(600), Seconds(mtbf * kHour));
            EXPECT_NEAR(run.goodput, expected, 0.02 * expected) << mtbf << " h, " << interval << " s";
            expect_whole(run, spec.duration);
        }
}

TEST(TrainingGoodput, is_best_near_dalys_interval) {
    GoodputSpec spec = plain(3);
    const auto goodput_at = [&](Seconds interval) {
        spec.interval = interval;
        return simulate_goodput(spec).goodput;
    };
    const Seconds daly = daly_interval(spec.checkpoint.pause, Seconds(3 * kHour));
    const double best = goodput_at(daly);
    for (const double factor : {0.25, 0.5, 0.75, 1.5, 2.0, 4.0}) EXPECT_LT(goodput_at(daly * factor), 1.005 * best);
    EXPECT_LT(goodput_at(daly * 0.25), 0.97 * best);
    EXPECT_LT(goodput_at(daly * 4), 0.97 * best);
}

TEST(TrainingGoodput, a_checkpoint_that_is_not_durable_yet_does_not_help) {
    GoodputSpec spec = plain(3);
    spec.checkpoint = {.pause = Seconds(1), .until_durable = Seconds(0), .restore = Seconds(0)};
    spec.restart = Seconds(0);
    const TrainingGoodput at_once = simulate_goodput(spec);
    spec.checkpoint.until_durable = Seconds(900);  // of an interval of 1200 s
    const TrainingGoodput later = simulate_goodput(spec);
    // A failure loses 600 s on average; in three of four cases 1200 s more, but not in the first interval after a
    // restart, where 1 - exp(-1200 s / 3 h) = 10.5 % of them strike: 600 + 0.895 x 900.
    EXPECT_NEAR(at_once.time.lost.si() / double(at_once.interruptions), 600, 20);
    EXPECT_NEAR(later.time.lost.si() / double(later.interruptions), 1405, 40);
    expect_whole(later, spec.duration);
}

TEST(TrainingGoodput, without_failures_only_checkpoints_cost) {
    GoodputSpec spec = plain(1e9);
    EXPECT_NEAR(simulate_goodput(spec).goodput, 1200.0 / 1260, 1e-4);
}

// Nodes break, about once in 3 h, and take two days to repair: 16 are away at a time.
GoodputSpec breaking() {
    GoodputSpec spec = plain(3);
    spec.failures.front().breaks_node = true;
    spec.repair = Seconds(48 * kHour);
    spec.replicas = 64;
    return spec;
}

TEST(TrainingGoodput, spares_spare_the_wait_for_repairs) {
    GoodputSpec spec = breaking();
    const TrainingGoodput none = simulate_goodput(spec);
    spec.spare_nodes = 4;
    const TrainingGoodput few = simulate_goodput(spec);
    spec.spare_nodes = 40;
    const TrainingGoodput enough = simulate_goodput(spec);
    EXPECT_GT(few.goodput, 2 * none.goodput);
    EXPECT_EQ(enough.time.waiting, Seconds(0));
    EXPECT_NEAR(enough.goodput, simulate_goodput(plain(3)).goodput, 1e-9);
    for (const TrainingGoodput* run : {&none, &few, &enough}) expect_whole(*run, spec.duration);
}

TEST(TrainingGoodput, an_elastic_job_shrinks_by_what_is_in_repair_and_grows_again) {
    GoodputSpec spec = breaking();
    spec.elastic = true;
    spec.regrouping = Seconds(30);
    const TrainingGoodput run = simulate_goodput(spec);
    expect_whole(run, spec.duration);
    EXPECT_EQ(run.time.waiting, Seconds(0));
    // In balance, with n of 64 away: (1 - n / 64) / 3 h x 48 h = n, so n = 12.8, a fifth of what is worked.
    const Seconds working = run.time.useful + run.time.lost + run.time.shrunk;
    EXPECT_NEAR(run.time.shrunk / working, 0.2, 0.01);
    EXPECT_GT(run.goodput, 0.6);
}

TEST(TrainingGoodput, the_same_seed_gives_the_same_run) {
    EXPECT_EQ(simulate_goodput(breaking()).goodput, simulate_goodput(breaking()).goodput);
}

TEST(TrainingGoodput, refuses_what_makes_no_sense) {
    GoodputSpec spec = plain(3);
    spec.interval = Seconds(0);
    try {
        (void)simulate_goodput(spec);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "goodput.interval: expected a time above 0, found 0");
    }
}

// How many failures a year-long process of `sources` has in `days`, mean over 50 seeds.
double mean_failures(const std::vector<FailureSource>& sources, double days) {
    double count = 0;
    for (int seed = 0; seed < 50; ++seed) {
        FailureProcess process(sources, static_cast<std::uint64_t>(seed));
        while (process.next().at.si() < days * kDay) ++count;
    }
    return count / 50;
}

TEST(PublishedFailures, mttf_against_job_size_from_rsc_1s_node_rate) {
    // arXiv 2410.21680: 1.8 h at 16,384 and 0.23 h at 131,072 GPUs, which the paper projects, and 7.9 h at 1,024, which
    // it measured. A node rate alone gives the projections within 3 %, and 28.8 h at 1,024: 3.7 times too long, since
    // jobs of that size mostly end for other reasons than broken nodes.
    const auto mttf = [](double gpus) { return cluster_mtbf(rsc1_failures(gpus)).si() / kHour; };
    EXPECT_NEAR(mttf(16'384), 1.8, 0.03 * 1.8);
    EXPECT_NEAR(mttf(131'072), 0.23, 0.03 * 0.23);
    EXPECT_NEAR(mttf(1'024) / 7.9, 3.65, 0.01);
}

TEST(PublishedFailures, llama_3s_interruptions_from_rsc_1s_node_rate) {
    // Predicted 719 of 419 in 54 days on 16,384 GPUs: 72 % too many. The A100 cluster's nodes failed more often.
    const double predicted = mean_failures(rsc1_failures(16'384), 54);
    EXPECT_NEAR(predicted, 719, 10);
    EXPECT_NEAR(predicted / 419 - 1, 0.715, 0.025);
}

TEST(PublishedFailures, rsc_1s_mttf_from_llama_3s_rates_by_component) {
    // By component 419 in 16,384 x 54 GPU-days: job MTBF 3.09 h there and 3.8 in 1000 node-days, of RSC-1's 6.50: 42 %
    // too few. At 1,024 GPUs 49.5 h, of 7.9 h measured.
    const auto sources = llama3_failures(16'384);
    double counted = 0;
    for (const FailureSource& source : sources) counted += source.parts / source.mtbf.si() * 54 * kDay;
    EXPECT_NEAR(counted, 419, 1e-6);
    EXPECT_NEAR(cluster_mtbf(sources).si() / kHour, 3.09, 0.005);
    EXPECT_NEAR(1000 * kDay / cluster_mtbf(llama3_failures(8)).si() / 6.50 - 1, -0.417, 0.002);
    EXPECT_NEAR(cluster_mtbf(llama3_failures(1'024)).si() / kHour, 49.5, 0.1);
}

// Llama 3 on its 16,384 GPUs, from its components' rates. Of its checkpoints and restarts nothing is published that
// was found; assumed: 14 B a parameter (BF16 weights; FP32 master, two moments) written at 2 TB/s while the job waits,
// a minute to notice, ten to restart, enough spare nodes.
GoodputSpec llama3() {
    GoodputSpec spec;
    spec.failures = llama3_failures(16'384);
    spec.duration = Seconds(54 * kDay);
    spec.checkpoint = blocking_checkpoint({.of_rank = Bytes(405e9 * 14 / 16'384),
                                           .ranks = 16'384,
                                           .rank_bandwidth = 50.0_GBps,
                                           .shared_bandwidth = 2000.0_GBps});
    spec.interval = daly_interval(spec.checkpoint.pause, cluster_mtbf(spec.failures));
    spec.detection = Seconds(60);
    spec.restart = Seconds(600);
    spec.spare_nodes = 1000;
    spec.repair = Seconds(48 * kHour);
    return spec;
}

double mean_goodput(GoodputSpec spec) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        spec.seed = seed;
        const TrainingGoodput run = simulate_goodput(spec);
        EXPECT_NEAR(run.time.sum().si(), spec.duration.si(), 1e-3);
        sum += run.goodput;
    }
    return sum / 20;
}

TEST(PublishedFailures, llama_3s_effective_training_time) {
    // Published: more than 90 %. Predicted 92.1 %; it stays above 90 % for restarts of up to 14 minutes.
    GoodputSpec spec = llama3();
    EXPECT_NEAR(spec.checkpoint.pause.si(), 2.835, 0.001);
    EXPECT_NEAR(mean_goodput(spec), 0.921, 0.003);
    spec.restart = Seconds(12 * 60);
    EXPECT_GT(mean_goodput(spec), 0.9);
    spec.restart = Seconds(15 * 60);
    EXPECT_LT(mean_goodput(spec), 0.9);
}

TEST(ServingFailures, no_request_is_lost_when_ranks_fail_at_random) {
    ServingSpec serving;
    serving.pool = {.replica = {.accelerators = 8, .max_batch = 32, .step_tokens = 512, .kv_tokens = 20'000},
                    .replicas = 2};
    serving.pool.replica.times = {.decode = [](double batch, double) { return Seconds(0.01 + 1e-5 * batch); },
                                  .prefill = [](double tokens, double) { return Seconds(1e-5 * tokens); }};
    serving.decode = {.pool = serving.pool, .link = {Bytes(70272), 40.0_GBps, 10.0_us}};
    // 32 accelerators that fail every 20 minutes: one in 37 s. 10 GB of experts at 100 GB/s, noticed after 2 s.
    const ExpertReplication replication{
        .lost = 10.0_GB, .bandwidth = 100.0_GBps, .detection = Seconds(2), .repair = Seconds(120)};
    EXPECT_DOUBLE_EQ(replication.pause().si(), 2.1);
    serving.failures = rank_failures({{.name = "accelerator", .parts = 32, .mtbf = Seconds(1200)}}, serving,
                                     replication, Seconds(600), 5);
    EXPECT_NEAR(double(serving.failures.size()), 16, 8);
    const auto requests = synthetic_requests({.requests = 5000,
                                              .per_second = 10,
                                              .input = LogNormalLength{300, 0.7, 3000},
                                              .output = LogNormalLength{150, 0.7, 1500},
                                              .seed = 9});
    const ServingRun broken = simulate_serving(serving, requests);
    serving.failures.clear();
    const ServingRun whole = simulate_serving(serving, requests);
    EXPECT_GT(broken.metrics.losses, 5);
    EXPECT_EQ(broken.metrics.output_tokens, whole.metrics.output_tokens);
    EXPECT_GT(broken.metrics.itl.p99, whole.metrics.itl.p99);
    EXPECT_GT(broken.metrics.end_to_end.p99, whole.metrics.end_to_end.p99);
}

}  // namespace
}  // namespace strata
