#include "sim/study/point_runner.hpp"

#include "sim/study/analytic_run.hpp"
#include "sim/study/largest_batch.hpp"

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

Run PointRunner::run(const Scenario& scenario) { return analytic_run(scenario, inputs_, bench_); }

}  // namespace strata
