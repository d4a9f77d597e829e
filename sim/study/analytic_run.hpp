// One point here and now, by the engine of its kind that needs no other program: what a study does for each of its
// points, and a slider for each of its positions.
#pragma once

#include "sim/access/access_bench.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Throws InputError for a point that does not fit its platform, or needs a number that nobody has published. Of a step
// such parts alone as are asked for; all else is made whole.
Run analytic_run(const Scenario& scenario, Inputs& inputs, AccessBench& bench, const RunParts& parts = {});

}  // namespace strata
