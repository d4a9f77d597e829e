// The cost book: a question whose series is known already, one that must be kriged first, and reading all tables.
#include <benchmark/benchmark.h>

#include "hwmodels/catalog.hpp"
#include "sim/cost/cost_book.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Device device(const char* name) { return device_of(Catalog(kRoot + "/hwmodels/catalog").accelerator(name)); }

// Tokens move, the rest of the shape stays: what a sweep asks for.
void query(benchmark::State& state, const char* name) {
    const CostBook book = CostBook::of(kRoot);
    const Device on = device(name);
    OpPoint point{.family = Family::gemm_fp8, .sides = {1, 7168, 2048}};
    benchmark::DoNotOptimize(book.estimate(point, on));
    for (auto _ : state) {
        point.sides[0] = point.sides[0] >= 4096 ? 1 : point.sides[0] + 1;
        benchmark::DoNotOptimize(book.estimate(point, on).time);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(query, h200, "H200_SXM")->Name("costbook/query");
BENCHMARK_CAPTURE(query, b200, "B200_SXM")->Name("costbook/query/transferred");

// Another width each time: 74 predictions from the nearest rows.
void first_query(benchmark::State& state) {
    const CostBook book = CostBook::of(kRoot);
    const Device on = device("H200_SXM");
    OpPoint point{.family = Family::gemm_fp8, .sides = {64, 64, 2048}};
    for (auto _ : state) {
        ++point.sides[1];
        benchmark::DoNotOptimize(book.estimate(point, on).time);
    }
}
BENCHMARK(first_query)->Name("costbook/first-query")->Unit(benchmark::kMicrosecond);

void load(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(CostBook::of(kRoot).refused().size());
}
BENCHMARK(load)->Name("costbook/load")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
