// What failures leave of a long training run on a scenario's platform.
#pragma once

#include "sim/failure/training_goodput.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/platform.hpp"

namespace strata {

// State that must not be lost, over the ranks that write it: FP32 master weights and moments, and Engram tables'.
Bytes checkpoint_of_rank(const Scenario& scenario);
// A checkpoint follows a step of `step`, and none begins before the one before is durable: Daly's and Young's rules
// know neither.
GoodputSpec goodput_spec(const Scenario& scenario, const Platform& platform, Seconds step);

// Metrics goodput.*; needs training.step_s and training.tokens_per_day.
void note_goodput(Run& run, const Scenario& scenario, const Platform& platform);

}  // namespace strata
