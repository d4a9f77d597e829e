// How fast threads read a table from end to end, each its own slice.
#pragma once

#include "app/measure/table.hpp"
#include "app/measure/timing.hpp"

namespace strata {

Measurement stream_read(const Table& table, int threads, const Effort& effort);

}  // namespace strata
