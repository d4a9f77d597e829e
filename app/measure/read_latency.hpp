// How long one read takes that had to wait for the one before: a chase through a table, each line naming the next.
#pragma once

#include "app/measure/mapped_table.hpp"
#include "app/measure/timing.hpp"

namespace strata {

// Overwrites parts of the table.
Measurement read_latency(const MappedTable& table, const Effort& effort);

}  // namespace strata
