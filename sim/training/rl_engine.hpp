// A scenario of kind `rl`: answers by the serving simulation, the update by a training step over what they hold, and
// weights over the links between the two.
#pragma once

#include "sim/result/run.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Throws InputError for servers or an update that do not fit the system, or a number that nobody has published.
Run run_rl(const Scenario& scenario, Inputs& inputs);

}  // namespace strata
