#include "sim/study/point_runner.hpp"

#include "sim/study/analytic_run.hpp"
#include "sim/study/largest_batch.hpp"
#include "sim/study/largest_load.hpp"

namespace strata {

void settle(Scenario& scenario, Inputs& inputs) {
    if (scenario.workload.largest_with) scenario.workload.batch = largest_batch(scenario, inputs);
    if (!scenario.serving) return;
    if (scenario.serving->rate_with) scenario.serving->arrivals.per_second = largest_rate(scenario, inputs);
    if (scenario.serving->concurrency_with) scenario.serving->concurrency = largest_concurrency(scenario, inputs);
}

bool is_settled(const Scenario& scenario) {
    const auto& serving = scenario.serving;
    return !scenario.workload.largest_with && !(serving && (serving->rate_with || serving->concurrency_with));
}

std::string PointRunner::settle(Scenario& scenario) {
    try {
        strata::settle(scenario, inputs_);
        return "";
    } catch (const InputError& error) {
        return error.what();
    }
}

Run PointRunner::run(const Scenario& scenario, const RunParts& parts) {
    return analytic_run(scenario, inputs_, bench_, parts);
}

}  // namespace strata
