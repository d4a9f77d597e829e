// Sobol indices of a step's time over the numbers of its platform, each log-uniform from 1 / (1 + `by`) to 1 + `by`
// of what it is, and over the errors of the cost book, each a split lognormal by its p10 and p90.
// The step is priced on a device that nothing was measured on, as any is whose peaks are moved: errors are then those
// of tables carried over.
#pragma once

#include "sim/scenario/scenario.hpp"
#include "sim/search/sobol_indices.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

struct StepSobol {
    std::vector<std::string> names;  // one an input, in the order of `result.inputs`
    SobolResult result;              // of the step's time in ms
    double base_ms = 0;              // with every input as it is
};

StepSobol step_sobol(const Scenario& scenario, Inputs& inputs, double by, const SobolOptions& options);

}  // namespace strata
