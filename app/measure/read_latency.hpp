// How long one read takes that had to wait for the one before: a chase through a table, each line naming the next.
#pragma once

#include "app/measure/table.hpp"
#include "app/measure/timing.hpp"

namespace strata {

// Overwrites parts of the table.
Measurement read_latency(const Table& table, const Effort& effort);

}  // namespace strata
