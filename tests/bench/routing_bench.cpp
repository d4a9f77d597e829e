// Routing and placement of one step: loads of all experts and ranks of 61 layers, a drawn token, and the placers.
#include <benchmark/benchmark.h>

#include "sim/placement/eplb.hpp"
#include "sim/placement/partitioned_placement.hpp"
#include "sim/routing/score_routing.hpp"

namespace strata {
namespace {

// V3's experts; 128 tokens on each of 384 ranks.
ScoreRoutingSpec spec(std::optional<double> half_life, GroupLimit limit) {
    return {.router = {.experts = 256, .top_k = 8, .limit = limit},
            .layers = 61,
            .tokens = 128 * 384,
            .popularity = {.law = PopularityLaw::zipf, .exponents = {0.8}, .half_life = half_life}};
}

void loads_of_a_step(benchmark::State& state, std::optional<double> half_life, GroupLimit limit) {
    ScoreRouting routing(spec(half_life, limit));
    const ExpertPlacement placement = linear_placement(256, 128, 384);
    for (int layer = 0; layer < 61; ++layer) routing.loads(layer, 0);  // what is kept from step to step
    std::int64_t step = 0;
    for (auto _ : state) {
        ++step;
        for (int layer = 0; layer < 61; ++layer)
            benchmark::DoNotOptimize(rank_loads(placement, routing.loads(layer, step)));
    }
}
BENCHMARK_CAPTURE(loads_of_a_step, plain, std::nullopt, GroupLimit{})
    ->Name("routing/step")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(loads_of_a_step, drifting, 1000.0, GroupLimit{})
    ->Name("routing/step/drifting")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(loads_of_a_step, grouped, std::nullopt, GroupLimit{.groups = 8, .kept = 4})
    ->Name("routing/step/grouped")
    ->Unit(benchmark::kMillisecond);

// Nothing is kept: inclusion is worked out anew.
void first_step(benchmark::State& state, GroupLimit limit) {
    for (auto _ : state) {
        ScoreRouting routing(spec(std::nullopt, limit));
        for (int layer = 0; layer < 61; ++layer) benchmark::DoNotOptimize(routing.loads(layer, 0));
    }
}
BENCHMARK_CAPTURE(first_step, plain, GroupLimit{})->Name("routing/first-step")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_step, grouped, GroupLimit{.groups = 8, .kept = 4})
    ->Name("routing/first-step/grouped")
    ->Unit(benchmark::kMillisecond);

void token(benchmark::State& state) {
    ScoreRouting routing(spec(std::nullopt, {.groups = 8, .kept = 4}));
    std::int64_t next = 0;
    for (auto _ : state) benchmark::DoNotOptimize(routing.experts_of(0, 0, next++));
}
BENCHMARK(token)->Name("routing/token");

void eplb(benchmark::State& state) {
    ScoreRouting routing(spec(std::nullopt, {}));
    const auto loads = routing.loads(0, 0);
    const std::vector<double> weights(loads.begin(), loads.end());
    for (auto _ : state)
        benchmark::DoNotOptimize(eplb_placement(weights, {.redundant = 128, .nodes = 48, .ranks = 384}));
}
BENCHMARK(eplb)->Name("placement/eplb")->Unit(benchmark::kMicrosecond);

void partitioned(benchmark::State& state) {
    ScoreRoutingSpec topics = spec(std::nullopt, {});
    topics.layers = 1;
    topics.topics = {8, 2.0};
    ScoreRouting routing(topics);
    const CoActivationGraph graph = co_activation(sample_tokens(routing, 0, 0, 1, 20000), 256);
    const TwoLevelFabric fabric{.nodes = 8, .ranks_per_node = 8};
    for (auto _ : state) benchmark::DoNotOptimize(partitioned_placement(graph, fabric, {}));
}
BENCHMARK(partitioned)->Name("placement/partition")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
