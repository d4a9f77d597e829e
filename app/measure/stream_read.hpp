// How fast threads read a table from end to end, each its own slice.
#pragma once

#include "app/measure/mapped_table.hpp"
#include "app/measure/timing.hpp"

namespace strata {

Measurement stream_read(const MappedTable& table, int threads, const Effort& effort);

}  // namespace strata
