// One micro-batch on one rank of one pipeline stage: its kernels, fetches and exchanges as a Program.
#pragma once

#include "sim/workload/build_program.hpp"

namespace strata {

// `sends_on`: not the last stage, so the residual goes to the next.
Program stage_program(const Scenario& scenario, const StepShape& shape, bool sends_on, const Platform& platform,
                      const CostBook& costs, const ProgramInputs& more = {});

}  // namespace strata
