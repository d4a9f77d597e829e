// Failures come as often as their rates say, whatever their distribution.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "hwmodels/input_error.hpp"
#include "sim/failure/checkpoint.hpp"
#include "sim/failure/failure_process.hpp"

namespace strata {
namespace {

constexpr double kMtbfHour = 3600;

TEST(FailureProcess, of_a_cluster_has_the_sum_of_the_rates) {
    // 64 accelerators of 1000 h, 8 hosts of 500 h: 0.064 + 0.016 an hour.
    const std::vector<FailureSource> sources{{.name = "accelerator", .parts = 64, .mtbf = Seconds(1000 * kMtbfHour)},
                                             {.name = "host", .parts = 8, .mtbf = Seconds(500 * kMtbfHour)}};
    EXPECT_NEAR(cluster_mtbf(sources).si() / kMtbfHour, 12.5, 1e-9);
    FailureProcess process(sources, 1);
    std::map<std::size_t, int> of_source;
    Seconds before, last;
    double squares = 0;
    const int count = 200'000;
    for (int i = 0; i < count; ++i) {
        const Failure failure = process.next();
        EXPECT_GE(failure.at, before);
        squares += std::pow((failure.at - before).si() / kMtbfHour, 2);
        before = last = failure.at;
        ++of_source[failure.source];
        EXPECT_LT(failure.part, failure.source == 0 ? 64u : 8u);
    }
    EXPECT_NEAR(last.si() / kMtbfHour / count, 12.5, 0.01 * 12.5);
    EXPECT_NEAR(squares / count, 2 * 12.5 * 12.5, 0.02 * 2 * 12.5 * 12.5);  // exponential: twice the mean squared
    EXPECT_NEAR(of_source[1] / double(count), 0.2, 0.005);
}

TEST(FailureProcess, of_weibull_parts_has_their_mtbf_in_the_long_run_and_their_shape_at_first) {
    const auto failures_until = [](double shape, double hours) {
        FailureProcess process(
            {{.name = "part", .parts = 2000, .mtbf = Seconds(100 * kMtbfHour), .weibull_shape = shape}}, 2);
        int count = 0;
        while (process.next().at.si() < hours * kMtbfHour) ++count;
        return count;
    };
    // First failures within t: 1 - exp(-(t / scale)^shape), of 2000 parts; long after, 2000 t / MTBF.
    for (const double shape : {0.7, 3.0}) {
        const double scale = 100 / std::tgamma(1 + 1 / shape);
        const double early = 2000 * (1 - std::exp(-std::pow(2 / scale, shape)));
        EXPECT_NEAR(failures_until(shape, 2), early, 3 * std::sqrt(early) + 0.1 * early + 1) << shape;
        EXPECT_NEAR(failures_until(shape, 5000), 2000 * 50, 0.02 * 2000 * 50) << shape;
    }
}

TEST(FailureProcess, refuses_sources_that_cannot_be) {
    EXPECT_THROW((void)cluster_mtbf({}), InputError);
    try {
        (void)cluster_mtbf({{.name = "NIC", .parts = 3, .mtbf = Seconds(0)}});
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(),
                     "failure source 'NIC': expected parts that are not negative, an MTBF and a shape above 0, found 3 "
                     "parts, MTBF 0 s, shape 1");
    }
}

TEST(Checkpoint, takes_as_long_as_the_slower_way) {
    // 40 GB a rank: 0.8 s over each rank's 50 GB/s; 512 ranks into 2 TB/s take 10.24 s.
    CheckpointTarget target{.of_rank = 40.0_GB, .ranks = 512, .rank_bandwidth = 50.0_GBps, .latency = Seconds(0.1)};
    EXPECT_DOUBLE_EQ(target.time().si(), 0.9);
    const CheckpointTarget host = target;
    target.shared_bandwidth = 2000.0_GBps;
    EXPECT_DOUBLE_EQ(target.time().si(), 10.34);
    const CheckpointCost staged = staged_checkpoint(host, target);
    EXPECT_DOUBLE_EQ(staged.pause.si(), 0.9);
    EXPECT_DOUBLE_EQ(staged.until_durable.si(), 10.34);
    EXPECT_DOUBLE_EQ(blocking_checkpoint(target).pause.si(), 10.34);
    EXPECT_THROW((void)CheckpointTarget{}.time(), InputError);
}

// The interval with the highest expected efficiency, by golden section.
double best_interval(Seconds pause, Seconds mtbf) {
    double low = 1e-3 * mtbf.si(), high = 10 * mtbf.si();
    const double golden = (std::sqrt(5.0) - 1) / 2;
    const auto at = [&](double work) { return expected_efficiency(Seconds(work), pause, Seconds(0), mtbf); };
    while (high - low > 1e-7 * high) {
        const double left = high - golden * (high - low), right = low + golden * (high - low);
        (at(left) > at(right) ? high : low) = at(left) > at(right) ? right : left;
    }
    return low;
}

TEST(Checkpoint, intervals_of_young_and_daly_are_near_the_optimum) {
    const Seconds mtbf(3 * kMtbfHour);
    for (const double pause : {5.0, 60.0, 600.0, 1800.0})
        EXPECT_NEAR(daly_interval(Seconds(pause), mtbf).si(), best_interval(Seconds(pause), mtbf),
                    0.002 * best_interval(Seconds(pause), mtbf));
    EXPECT_NEAR(young_interval(Seconds(5), mtbf).si(), best_interval(Seconds(5), mtbf),
                0.02 * best_interval(Seconds(5), mtbf));
    // 16,384 GPUs, MTBF 3.09 h, pause 60 s: 19.2 min (Young).
    EXPECT_NEAR(young_interval(Seconds(60), Seconds(3.09 * kMtbfHour)).si() / 60, 19.26, 0.01);
    EXPECT_EQ(daly_interval(Seconds(100), Seconds(40)), Seconds(40));
}

}  // namespace
}  // namespace strata
