// Model + workload + placement + platform -> the Program of one step and the Machine that runs it.
#pragma once

#include "sim/scenario/scenario.hpp"
#include "sim/workload/platform.hpp"

namespace strata {

Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs);

}  // namespace strata
