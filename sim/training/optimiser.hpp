// The update of a rank's parameters, and what the ranks that share them send each other for it.
#pragma once

#include "sim/training/stage_parameters.hpp"
#include "sim/training/training_step.hpp"
#include "sim/workload/platform.hpp"

namespace strata {

// Of one stage, or the mean of those that a device holds. `tables`: Engram layers of the stage, whose touched rows are
// updated where they are.
Sharding sharding_of(const Scenario& scenario, const Parameters& stage, double tables, const Platform& platform,
                     const CostBook& costs);

// Rows of a table of `rows` that `look_ups` touch, all rows as likely: the most there can be.
double touched_rows(double rows, double look_ups);

// Newton-Schulz of one matrix: ten steps of three products (DeepSeek-V4, arXiv 2606.19348, algorithm 1).
Seconds newton_schulz_time(double rows, double columns, const Device& on, const CostBook& costs);

}  // namespace strata
