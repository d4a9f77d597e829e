// What a study costs beside its engines: points a second with a store at work, and the store alone.
#include <benchmark/benchmark.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "sim/study/point_store.hpp"
#include "sim/study/search_study.hpp"
#include "sim/study/simulator_pool.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr int kJobs = 2;

ScenarioFile scenario(const ScratchFolder& folder, const std::string& text) {
    return {folder.write("s.yaml", text), kRoot + "/scenarios/models"};
}

// A search's first phase, from the scenario's fields to rows in the store: 65,536 points.
void analytic_points(benchmark::State& state, const std::string& step_and_axes, bool known) {
    const ScratchFolder folder;
    const ScenarioFile file = scenario(folder, "{" + step_and_axes +
                                                   ", search: {sample: {method: sobol, points: 65536, seed: 1}, "
                                                   "objectives: [{metric: decode.tpot_ms, sense: min}]}}");
    const auto run = [&](const std::string& name) {
        const StudyOptions options{.root = kRoot, .jobs = kJobs, .store = std::make_shared<PointStore>(folder / name)};
        const PointPlan plan(file.axes(), file.search()->sample, ScenarioFile::kMaxPoints);
        return screen(file, plan, metrics_of(*file.search()), options).size();
    };
    std::size_t points = known ? run("0.sqlite") * 0 : 0;
    for (auto _ : state) points += run(known ? "0.sqlite" : std::to_string(points + 1) + ".sqlite");
    state.SetItemsProcessed(static_cast<std::int64_t>(points));
}
// The small decode step that the systemc engine is timed with.
const std::string kSmall =
    "model: dense-4b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 8, context: 512}, axes: [{path: "
    "workload.batch, range: {from: 1, to: 4096, scale: log}}]";
// The same over what costs most: attention has a new shape at each point, and each is kriged.
const std::string kContexts =
    "model: dense-4b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 8, context: 512}, axes: [{path: "
    "workload.context, range: {from: 512, to: 65536, scale: log}}]";
// Decode on an 8x H200 node with as many sparse parameters in experts as rho says.
const std::string kAllocation =
    "model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, placement: "
    "{dp: 8, ep: 8, engram: {tier: host}}, axes: [{path: workload.batch, range: {from: 64, to: 4096, scale: log}}, "
    "{path: model.rho, range: {from: 0.5, to: 1}}]";
BENCHMARK_CAPTURE(analytic_points, small, kSmall, false)
    ->Name("study/analytic-points/small")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(analytic_points, contexts, kContexts, false)
    ->Name("study/analytic-points/contexts")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(analytic_points, allocation, kAllocation, false)
    ->Name("study/analytic-points")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(analytic_points, known, kAllocation, true)
    ->Name("study/known-points")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// A sweep by strata-simulate, results in the store: dense-4b decode, a step of one rank.
void systemc_points(benchmark::State& state) {
    const ScratchFolder folder;
    const ScenarioFile file = scenario(folder,
                                       "{engines: [systemc], model: dense-4b, platform: {system: HGX_H200}, workload: "
                                       "{kind: decode, batch: 8, context: 512}, axes: [{path: workload.batch, linear: "
                                       "{from: 1, to: 5000, steps: 5000}}]}");
    std::size_t points = 0;
    for (auto _ : state) {
        const auto store = std::make_shared<PointStore>(folder / (std::to_string(points) + ".sqlite"));
        points += run_study(file, {.root = kRoot, .jobs = kJobs, .store = store}).results.size();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(points));
}
BENCHMARK(systemc_points)->Name("study/systemc-points")->UseRealTime()->Unit(benchmark::kMillisecond);

// What a worker costs a point, whatever the point: the way through its pipe and back.
void worker_round_trip(benchmark::State& state) {
    const std::vector<std::string> lines(20000, R"({"id": 0})");  // answered at once: such a line lacks its fields
    const std::string simulator = simulator_path("");
    for (auto _ : state) simulate_lines(simulator, kJobs, {}, lines, [](std::size_t, const auto&) {});
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}
BENCHMARK(worker_round_trip)->Name("study/worker-round-trip")->UseRealTime()->Unit(benchmark::kMillisecond);

const RowShape kShape{.study = "bench",
                      .engine = "analytic",
                      .axes = {"workload.batch", "model.rho", "placement.engram.tier"},
                      .metrics = {"decode.tpot_ms", "quality.loss", "cost.usd_per_million_tokens"}};

// Rows as a search leaves them, with keys in no order, as digests are.
std::vector<KeptPoint> rows(std::uint64_t first, std::size_t count) {
    std::vector<KeptPoint> points(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t word = (first + i + 1) * 0x9e3779b97f4a7c15u;  // SplitMix64
        for (std::size_t byte = 0; byte < points[i].key.size(); ++byte) {
            word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
            points[i].key[byte] = static_cast<unsigned char>(word >> 56);
        }
        const double x = double(first + i);
        points[i].settings = {
            {kShape.axes[0], std::to_string(first + i)}, {kShape.axes[1], "0.7312345678"}, {kShape.axes[2], "host"}};
        points[i].numbers = {std::sqrt(x + 2), std::log(x + 2), std::cbrt(x + 2)};
    }
    return points;
}

void fill(const std::string& file, std::size_t points) {
    PointStore store(file);
    for (std::size_t at = 0; at < points; at += 64)
        store.keep(kShape, rows(at, std::min<std::size_t>(64, points - at)));
    store.flush();
}

void store_write(benchmark::State& state) {
    const ScratchFolder folder;
    constexpr std::size_t kPoints = 100000;
    for (auto _ : state) {
        fill(folder / "s.sqlite", kPoints);
        state.PauseTiming();
        std::filesystem::remove(folder / "s.sqlite");
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPoints));
}
BENCHMARK(store_write)->Name("study/store-write")->UseRealTime()->Unit(benchmark::kMillisecond);

// A store of a million points: from opening it to the numbers of some of them.
void open_store(benchmark::State& state) {
    const ScratchFolder folder;
    const std::string file = folder / "s.sqlite";
    fill(file, 1000000);
    std::vector<PointKey> keys;
    for (const KeptPoint& point : rows(500000, 64)) keys.push_back(point.key);
    for (auto _ : state) {
        PointStore store(file);
        if (store.size() != 1000000 || !store.numbers(keys, kShape.metrics)[63]) state.SkipWithError("points are lost");
    }
    state.counters["file_MB"] = double(std::filesystem::file_size(file)) * 1e-6;
}
BENCHMARK(open_store)->Name("study/open")->UseRealTime()->Unit(benchmark::kMillisecond);

// Joining what tasks of a job array leave: files of 10,000 points.
void merge(benchmark::State& state) {
    const ScratchFolder folder;
    constexpr std::size_t kFiles = 10, kPoints = 10000;
    for (std::size_t i = 0; i < kFiles; ++i) {
        PointStore store(folder / (std::to_string(i) + ".sqlite"));
        store.keep(kShape, rows(i * kPoints, kPoints));
    }
    for (auto _ : state) {
        {
            PointStore store(folder / "all.sqlite");
            for (std::size_t i = 0; i < kFiles; ++i) store.merge(folder / (std::to_string(i) + ".sqlite"));
        }
        state.PauseTiming();
        std::filesystem::remove(folder / "all.sqlite");
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFiles * kPoints));
}
BENCHMARK(merge)->Name("study/merge")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
