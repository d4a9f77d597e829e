// A server against queueing theory, where that has closed forms: one slot, so a request waits for those before it.
#include <gtest/gtest.h>

#include "sim/serving/arrivals.hpp"
#include "sim/serving/serving.hpp"
#include "sim/workload/random_stream.hpp"

namespace strata {
namespace {

// A token takes 10 ms, whether it comes from the prefill or from a decode step: a request serves for output x 10 ms.
constexpr double kToken = 0.01;

ServingSpec one_slot() {
    ServingSpec spec;
    spec.pool.replica = {.max_batch = 1, .kv_tokens = 1e6};
    spec.pool.replica.times = {.decode = [](double, double) { return Seconds(kToken); },
                               .prefill = [](double, double) { return Seconds(kToken); }};
    return spec;
}

double mean_wait(const std::vector<Request>& requests) {
    const ServingRun run = simulate_serving(one_slot(), requests);
    double sum = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) sum += (run.records[i].scheduled - requests[i].arrival).si();
    return sum / double(requests.size());
}

// Pollaczek and Khinchine: W = rate E[S^2] / (2 (1 - rate E[S])), with the moments of what was drawn.
double pollaczek_khinchine(const std::vector<Request>& requests, double rate) {
    double first = 0, second = 0;
    for (const Request& request : requests) {
        const double service = request.output_tokens * kToken;
        first += service / double(requests.size());
        second += service * service / double(requests.size());
    }
    return rate * second / (2 * (1 - rate * first));
}

TEST(ServingQueue, waits_as_an_M_D_1_does) {
    for (const double load : {0.3, 0.7, 0.9}) {
        const int tokens = 20;
        const double service = tokens * kToken;
        const auto requests = synthetic_requests({.requests = 500'000,
                                                  .per_second = load / service,
                                                  .input = FixedLength{16},
                                                  .output = FixedLength{tokens},
                                                  .seed = 1});
        const double expected = load * service / (2 * (1 - load));
        EXPECT_NEAR(mean_wait(requests), expected, 0.03 * expected) << "load " << load;
    }
}

TEST(ServingQueue, waits_as_an_M_M_1_does_when_lengths_are_geometric) {
    // Geometric lengths of mean 100: as steps of a hundredth of the mean, an exponential service time.
    const double mean = 100, load = 0.7, service = mean * kToken;
    auto requests = synthetic_requests({.requests = 500'000,
                                        .per_second = load / service,
                                        .input = FixedLength{16},
                                        .output = FixedLength{1},
                                        .seed = 2});
    RandomStream random(3);
    for (Request& request : requests)
        request.output_tokens = static_cast<int>(std::ceil(std::log(random.uniform()) / std::log(1 - 1 / mean)));
    const double expected = load * service / (1 - load);
    EXPECT_NEAR(mean_wait(requests), expected, 0.03 * expected);
}

TEST(ServingQueue, waits_as_pollaczek_and_khinchine_say_for_any_lengths) {
    for (const Length& output : {Length(UniformLength{1, 99}), Length(LogNormalLength{30, 0.8, 2000})}) {
        const double rate = 1.2;
        const auto requests = synthetic_requests(
            {.requests = 500'000, .per_second = rate, .input = FixedLength{16}, .output = output, .seed = 4});
        const double expected = pollaczek_khinchine(requests, rate);
        EXPECT_NEAR(mean_wait(requests), expected, 0.03 * expected);
    }
}

TEST(ServingQueue, is_as_long_as_little_says) {
    const double load = 0.8;
    const auto requests = synthetic_requests({.requests = 100'000,
                                              .per_second = load / kToken / 10,
                                              .input = FixedLength{16},
                                              .output = FixedLength{10},
                                              .seed = 5});
    const ServingRun run = simulate_serving(one_slot(), requests);
    double waited = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) waited += (run.records[i].scheduled - requests[i].arrival).si();
    EXPECT_NEAR(run.metrics.pool.queue_mean, waited / run.metrics.duration.si(), 1e-9 * waited);
    EXPECT_NEAR(run.metrics.pool.utilisation, load, 0.02);
}

TEST(ServingQueue, a_full_batch_gives_batch_over_step_time) {
    ServingSpec spec = one_slot();
    spec.pool.replica.max_batch = 64;
    spec.pool.replica.times.prefill = [](double, double) { return Seconds(0); };
    const auto requests = synthetic_requests({.requests = 6400, .input = FixedLength{1}, .output = FixedLength{1001}});
    // 100 rounds of 1000 steps of 10 ms, each of 64 tokens; the first token of each request comes without a step.
    const ServingRun run = simulate_serving(spec, requests);
    EXPECT_NEAR(run.metrics.duration.si(), 1000, 1e-6);
    EXPECT_NEAR(run.metrics.output_tokens_per_second, 6406.4, 1e-3);
}

}  // namespace
}  // namespace strata
