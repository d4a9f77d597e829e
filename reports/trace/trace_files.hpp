// A Trace as files that other programs open.
#pragma once

#include <string>

#include "sim/result/trace.hpp"

namespace strata {

// By the ending of the file's name: .pftrace as Perfetto's track events (ui.perfetto.dev), .json as Chrome's trace
// events, which more viewers read but none promises to. Throws InputError for any other.
std::string trace_file(const Trace& trace, const std::string& file_name);

// The same two by themselves. Times are nanoseconds from the begin of the step; one track for each resource.
std::string perfetto_trace(const Trace& trace);
std::string chrome_trace(const Trace& trace);

// The step of one rank as a Chakra execution trace, for ASTRA-sim and others that run such graphs on networks of their
// own: computation, loads and exchanges with what each waits for.
std::string chakra_trace(const Trace& trace);

}  // namespace strata
