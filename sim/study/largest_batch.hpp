// The largest batch that fits the platform's memory and holds a target (workload.batch: {largest_with: ...}).
#pragma once

#include "sim/workload/inputs.hpp"

namespace strata {

// A multiple of dp x pp x micro_batches, by the analytic engine. A metric that only rises or only falls with the batch
// is bisected; one that does not is looked at from the largest batch down, at no more than kMostTried batches. Throws
// InputError for a point that does not fit at all, and for a target that no batch holds, with what the smallest has.
double largest_batch(const Scenario& scenario, Inputs& inputs);

constexpr long kMostTried = 2000;

}  // namespace strata
