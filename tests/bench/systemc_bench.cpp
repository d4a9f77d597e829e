// How many ops (tasks x ranks) a second the systemc engine simulates on one core, and what a point costs in all:
// v4.1-flash decode with Engram in host memory on an 8x H200 node. SystemC elaborates once a process, so each iteration
// is a forked child and pays for that too.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/engine/systemc/systemc_engine.hpp"
#include "sim/workload/inputs.hpp"
#include "sim/workload/micro_batches.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

struct Step {
    Program program;
    Machine machine;
    int ranks;
};

Step step_of(Inputs& inputs, const std::string& document) {
    const Scenario scenario = read_point(document, "bench", kRoot + "/scenarios/models", inputs.catalog());
    Program program = inputs.program_of(scenario);
    const Machine& machine = inputs.platform(scenario.platform).machine;
    const int ranks = simulated_ranks(program, machine, scenario.placement);
    return {std::move(program), machine, ranks};
}

Step flash_step() {
    Inputs inputs(kRoot);
    return step_of(inputs,
                   "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: "
                   "8192}, placement: {dp: 8, ep: 8, engram: {tier: host}}}");
}

// `step` is called in the child too, where it counts.
template <class MakeStep>
void in_child(benchmark::State& state, const MakeStep& step) {
    for (auto _ : state) {
        const pid_t child = fork();
        if (child == 0) {
            const Step now = step();
            benchmark::DoNotOptimize(run_systemc(now.program, now.machine, now.ranks).timeline.makespan);
            _exit(0);
        }
        int status = 1;
        waitpid(child, &status, 0);
        if (status != 0) state.SkipWithError("the simulation failed");
    }
}

void ops(benchmark::State& state) {
    Step step = flash_step();
    step.program = repeated(step.program, 50);
    in_child(state, [&]() -> const Step& { return step; });
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(step.program.tasks.size()) * step.ranks);
}
BENCHMARK(ops)->Name("systemc/ops")->UseRealTime()->Unit(benchmark::kMillisecond);

void point(benchmark::State& state) {
    const Step step = flash_step();
    in_child(state, [&]() -> const Step& { return step; });
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(point)->Name("systemc/point")->UseRealTime()->Unit(benchmark::kMillisecond);

// A decode step of v3 with skewed routing, all ranks of the expert group: from the scenario's text to the end of the
// simulation. The catalogue and the cost book are read before; routing and prices of new shapes are worked out within.
void expert_group(benchmark::State& state, const std::string& platform, const std::string& placement, int batch) {
    Inputs inputs(kRoot);
    const std::string document = "{model: v3, platform: " + platform +
                                 ", workload: {kind: decode, batch: " + std::to_string(batch) +
                                 ", context: 4096, routing: {law: zipf, exponent: 0.5}}, placement: " + placement + "}";
    in_child(state, [&] { return step_of(inputs, document); });
}
BENCHMARK_CAPTURE(expert_group, ep320, "{system: CloudMatrix384}", "{dp: 320, ep: 320, experts: {redundant: 64}}",
                  15360)
    ->Name("systemc/expert-group/EP320")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(expert_group, folded, "{system: CloudMatrix384, nodes: 22}", "{dp: 8192, ep: 256}", 196608)
    ->Name("systemc/expert-group/8192-folded")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata
