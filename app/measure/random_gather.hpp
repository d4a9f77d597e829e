// How fast threads read whole rows at random from a table: what fetching Engram rows from host memory asks for.
#pragma once

#include <array>

#include "app/measure/mapped_table.hpp"
#include "app/measure/timing.hpp"

namespace strata {

// A line of the cache; Engram rows of 128 to 2048 B; 264 B straddles lines, as an FP8 row with its scales does.
constexpr std::array<int, 7> kRowBytes{64, 128, 264, 512, 1024, 2048, 4096};

// `prefetch_rows`: how many rows ahead software asks for them, 0 for not at all.
Measurement random_gather(const MappedTable& table, int row_bytes, int threads, int prefetch_rows,
                          const Effort& effort);

// About 1 KB ahead: as many lines as a core keeps in flight.
constexpr int prefetch_distance(int row_bytes) { return row_bytes < 1024 ? 1024 / row_bytes : 1; }

}  // namespace strata
