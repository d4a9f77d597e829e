// Parts whose numbers were measured: a record of `strata measure host` in place of the catalogue's. Of the rows of one
// kind the best is taken (what the machine can do), and each number's source says which line of the record it was.
#pragma once

#include <string>

#include "hwmodels/specs.hpp"

namespace strata {

// All channels together: bandwidth of the fastest host/stream_read, latency of the fastest host/read_latency, capacity
// of the machine. Throws InputError with file and line.
void take_measured_memory(const std::string& record, MemorySpec& memory, SystemSpec& system);

// All that the scratch folder lies on: host/direct_reads' highest bandwidth, its most reads of 4 KiB a second, and the
// latency of one alone. Throws InputError with file and line.
void take_measured_drive(const std::string& record, MemorySpec& drive, SystemSpec& system);

}  // namespace strata
