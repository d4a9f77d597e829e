// How many ops (tasks x ranks) a second the systemc engine simulates on one core, and what a point costs in all:
// v4.1-flash decode with Engram in host memory on an 8x H200 node. SystemC elaborates once a process, so each iteration
// is a forked child and pays for that too.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/systemc/systemc_engine.hpp"
#include "sim/workload/inputs.hpp"
#include "sim/workload/micro_batches.hpp"

namespace strata {
namespace {

constexpr int kRanks = 8;

struct Step {
    Program program;
    Machine machine;
};

Step flash_step() {
    const std::string root = STRATA_SOURCE_DIR;
    Inputs inputs(root);
    const Scenario scenario = read_point(
        "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
        "placement: {dp: 8, ep: 8, engram: {tier: host}}}",
        "bench", root + "/scenarios/models", inputs.catalog());
    return {inputs.program_of(scenario), inputs.platform(scenario.platform).machine};
}

void simulate_in_child(benchmark::State& state, const Program& program, const Machine& machine) {
    for (auto _ : state) {
        const pid_t child = fork();
        if (child == 0) {
            benchmark::DoNotOptimize(run_systemc(program, machine, kRanks).timeline.makespan);
            _exit(0);
        }
        int status = 1;
        waitpid(child, &status, 0);
        if (status != 0) state.SkipWithError("the simulation failed");
    }
}

void ops(benchmark::State& state) {
    const Step step = flash_step();
    const Program program = repeated(step.program, 50);
    simulate_in_child(state, program, step.machine);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(program.tasks.size()) * kRanks);
}
BENCHMARK(ops)->Name("systemc/ops")->UseRealTime()->Unit(benchmark::kMillisecond);

void point(benchmark::State& state) {
    const Step step = flash_step();
    simulate_in_child(state, step.program, step.machine);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(point)->Name("systemc/point")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
