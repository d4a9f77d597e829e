// How many points a second the analytic engine answers on one thread: v4.1-flash decode on an 8x H200 node.
#include <benchmark/benchmark.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/engine/analytic/hardware_sweep.hpp"
#include "sim/study/study.hpp"
#include "sim/workload/build_program.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

struct Flash {
    Catalog catalog{kRoot + "/hwmodels/catalog"};
    CostBook costs = CostBook::of(kRoot);
    Platform platform = platform_of(platform_spec(catalog, "HGX_H200"));
    Scenario scenario = read(catalog);

    static Scenario read(const Catalog& catalog) {
        const ScenarioFile file(kRoot + "/scenarios/examples/engram-tiers.yaml", kRoot + "/scenarios/models");
        return file.read(file.points().front(), catalog);
    }
};

// Batch moves at each point, so the whole Program is built again.
void program_rebuilt(benchmark::State& state) {
    Flash flash;
    double batch = 64;
    // The cost book's first questions are costbook/first-query's to time.
    benchmark::DoNotOptimize(build_program(flash.scenario, flash.platform, flash.costs).tasks.size());
    for (auto _ : state) {
        flash.scenario.workload.batch = batch = batch >= 1024 ? 64 : batch + 1;
        const Program program = build_program(flash.scenario, flash.platform, flash.costs);
        benchmark::DoNotOptimize(run_analytic(program).makespan);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(program_rebuilt)->Name("analytic/decode/v4.1-flash");

// Bandwidths move at each point, the Program stays.
void hardware_only(benchmark::State& state) {
    Flash flash;
    const Program program = build_program(flash.scenario, flash.platform, flash.costs);
    HardwareSweep sweep(program, flash.costs, flash.scenario.placement.ranks());
    double factor = 0.5;
    for (auto _ : state) {
        factor = factor >= 4 ? 0.5 : factor + 0.01;
        Platform& there = flash.platform;
        there.device.name.clear();  // nothing was measured on it
        there.device.memory = 4800.0_GBps * factor;
        there.machine.scale_up = 450.0_GBps * factor;
        benchmark::DoNotOptimize(sweep.makespan(there));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hardware_only)->Name("analytic/decode/v4.1-flash/hardware-only");

}  // namespace
}  // namespace strata
