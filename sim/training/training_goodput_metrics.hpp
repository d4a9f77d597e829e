// What failures leave of a long training run on a scenario's platform.
#pragma once

#include "sim/failure/training_goodput.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/platform.hpp"

namespace strata {

// State that must not be lost, over the ranks that write it: FP32 master weights and moments, and Engram tables'.
Bytes checkpoint_of_rank(const Scenario& scenario);
GoodputSpec goodput_spec(const Scenario& scenario, const Platform& platform);

// Metrics goodput.*; needs training.tokens_per_day.
void note_goodput(Run& run, const Scenario& scenario, const Platform& platform);

}  // namespace strata
