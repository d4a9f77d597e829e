// How long a million requests take: 8 replicas with chat-like lengths, together or apart, without and with drafts.
#include <benchmark/benchmark.h>

#include "sim/serving/arrivals.hpp"
#include "sim/serving/serving.hpp"

namespace strata {
namespace {

enum Variant : int { together, apart, with_drafts };

ServingSpec spec_of(Variant variant) {
    ServingSpec spec;
    spec.pool = {.replica = {.accelerators = 8, .max_batch = 256, .step_tokens = 2048, .kv_tokens = 400'000},
                 .replicas = 8};
    // Made up, of the size of a large MoE on eight accelerators: the time of a step does not change that of simulating
    // it.
    spec.pool.replica.times = {
        .decode = [](double batch, double context) { return Seconds(8e-3 + 4e-5 * batch + 1e-8 * context); },
        .prefill = [](double tokens, double context) { return Seconds(2e-5 * tokens * (1 + 1e-5 * context)); }};
    if (variant == with_drafts) spec.pool.replica.drafts = DraftAcceptance({0.85}, 1);
    if (variant == apart) {
        spec.pool.replicas = 4;
        spec.decode = {.pool = spec.pool, .link = {Bytes(70272), 40.0_GBps, 10.0_us}};
    }
    return spec;
}

void million_requests(benchmark::State& state) {
    const ServingSpec spec = spec_of(static_cast<Variant>(state.range(0)));
    const auto requests = synthetic_requests({.requests = 1'000'000,
                                              .per_second = 80,
                                              .input = LogNormalLength{600, 1, 8000},
                                              .output = LogNormalLength{200, 0.8, 4000},
                                              .seed = 1});
    for (auto _ : state) {
        const ServingRun run = simulate_serving(spec, requests);
        state.counters["ttft_p99_ms"] = to_ms(run.metrics.ttft.p99);
        state.counters["tpot_p50_ms"] = to_ms(run.metrics.tpot.p50);
        state.counters["batch"] = run.metrics.decode_pool.batch_mean + run.metrics.pool.batch_mean;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(requests.size()));
}
BENCHMARK(million_requests)
    ->Name("serving/million-requests")
    ->Arg(together)
    ->Arg(apart)
    ->Arg(with_drafts)
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace strata
