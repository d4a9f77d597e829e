// How many points a second the analytic engine answers on one thread: v4.1-flash decode on an 8x H200 node.
#include <benchmark/benchmark.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/study/study.hpp"
#include "sim/workload/build_program.hpp"

namespace strata {
namespace {

const std::string kRoot = STRATA_SOURCE_DIR;

struct Flash {
    Catalog catalog{kRoot + "/hwmodels/catalog"};
    CostBook costs{kRoot + "/sim/cost/cost_curves.yaml"};
    Platform platform = platform_of(platform_spec(catalog, "HGX_H200"), costs);
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
    for (auto _ : state) {
        flash.scenario.workload.batch = batch = batch >= 1024 ? 64 : batch + 1;
        const Program program = build_program(flash.scenario, flash.platform, flash.costs);
        benchmark::DoNotOptimize(run_analytic(program).makespan);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(program_rebuilt)->Name("analytic/decode/v4.1-flash");

}  // namespace
}  // namespace strata
