#include "sim/study/point_runner.hpp"

#include "sim/collective/collective_engine.hpp"
#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/study/largest_batch.hpp"
#include "sim/training/training_engine.hpp"

namespace strata {

std::string PointRunner::settle_batch(Scenario& scenario) {
    if (!scenario.workload.largest_with) return "";
    try {
        scenario.workload.batch = largest_batch(scenario, inputs_);
        return "";
    } catch (const InputError& error) {
        return error.what();
    }
}

Run PointRunner::run(const Scenario& scenario) {
    if (scenario.access) return bench_.run(scenario);
    if (scenario.collective) return run_collective(*scenario.collective);
    if (scenario.serving) return run_serving(scenario, inputs_);
    if (scenario.training) return run_training(scenario, inputs_);
    const Program program = inputs_.program_of(scenario);
    const Machine& machine = inputs_.platform(scenario.platform).machine;
    return summarise(scenario, machine, program, run_analytic(program), "analytic");
}

}  // namespace strata
