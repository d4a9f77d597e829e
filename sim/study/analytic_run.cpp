#include "sim/study/analytic_run.hpp"

#include "sim/collective/collective_engine.hpp"
#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/quality.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/training/rl_engine.hpp"
#include "sim/training/training_engine.hpp"

namespace strata {

namespace {

Run step_run(const Scenario& scenario, Inputs& inputs, const RunParts& parts) {
    const Platform& platform = inputs.platform(scenario.platform);
    const Program program = inputs.program_of(scenario, platform);
    return summarise(scenario, platform.machine, program, run_analytic(program), "analytic", parts);
}

}  // namespace

Run analytic_run(const Scenario& scenario, Inputs& inputs, AccessBench& bench, const RunParts& parts) {
    if (scenario.access) return bench.run(scenario);
    if (scenario.collective) return run_collective(*scenario.collective);
    if (scenario.serving) return run_serving(scenario, inputs);
    if (scenario.rl) return run_rl(scenario, inputs);
    Run run = scenario.training ? run_training(scenario, inputs) : step_run(scenario, inputs, parts);
    if (parts.quality) add_quality(run, scenario.model, inputs.quality());
    return run;
}

}  // namespace strata
