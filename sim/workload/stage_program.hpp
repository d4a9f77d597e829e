// One micro-batch on one rank of one pipeline stage: its kernels, fetches and exchanges as a Program.
#pragma once

#include "sim/placement/rank_shares.hpp"
#include "sim/workload/build_program.hpp"

namespace strata {

// `sends_on`: not the last stage, so the residual goes to the next. `shares`: of the expert group's ranks; null: tokens
// spread evenly.
Program stage_program(const Scenario& scenario, const StepShape& shape, bool sends_on, const Platform& platform,
                      const CostBook& costs, const RankShares* shares = nullptr);

}  // namespace strata
