// A scenario of kind `serving`: its placement as a replica whose steps are priced by the analytic engine, once for a
// grid of shapes, then requests through the simulation.
#pragma once

#include "sim/result/run.hpp"
#include "sim/serving/serving.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Decode and prefill steps of up to `most_context` tokens a sequence. Throws InputError for a point that does not fit
// its platform, or needs a number that nobody has published.
StepTimes step_times_of(const Scenario& scenario, Inputs& inputs, int most_context);

// Tokens of KV that fit beside weights, experts and Engram tables in HBM: those of all sequences of a replica.
double kv_capacity(const Scenario& scenario);

Run run_serving(const Scenario& scenario, Inputs& inputs);

}  // namespace strata
