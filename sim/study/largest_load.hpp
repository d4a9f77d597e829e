// The largest load that a deployment serves while a target holds: requests a second (workload.rate: {largest_with:
// ...}), or sequences in a batch and users of a closed loop (workload.concurrency: {largest_with: ...}).
#pragma once

#include "sim/workload/inputs.hpp"

namespace strata {

// Requests of any rate are the same ones, closer together. Powers of two of one a second are tried first, up to where
// requests come four times as fast as they are answered, down to where they no longer meet; between the largest that
// holds the target and the next, the rate is bisected to 0.5 %. Throws InputError where none holds it, and where all
// requests may come at once and it still holds.
double largest_rate(const Scenario& scenario, Inputs& inputs);

// Of all there are requests, at most; the same by powers of two and bisection. Throws InputError where not even one
// holds it.
int largest_concurrency(const Scenario& scenario, Inputs& inputs);

}  // namespace strata
