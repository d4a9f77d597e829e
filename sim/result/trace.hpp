// Who was busy with what, and when, over one step: for trace viewers, other simulators and a report's look at a layer.
// The systemc engine records it where that is asked for; of the analytic engine's timeline it can be made afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/workload/program.hpp"

namespace strata {

// In SystemC's own picoseconds from the step's begin, so that sums are exact.
using TraceTime = std::int64_t;

// A task of the Program, on the rank that the timeline is of.
struct TraceOp {
    std::string name, component, origin;  // "dispatch", "experts", "interpolated"
    Lane lane = Lane::compute;
    int layer = 0, batch = 0;
    TraceTime begin = 0, end = 0;        // from its start until its last byte has landed
    double flops = 0, bytes = 0;         // through the lane
    int peers = 0;                       // of exchanges
    std::vector<std::uint32_t> after{};  // the ops that it waits for
};

// Occupied from begin to end by an op of a rank: `rank` counts those that were simulated.
struct TraceSlice {
    std::uint32_t op = 0, rank = 0;
    TraceTime begin = 0, end = 0;
};

// One resource; its slices stand in order and do not overlap.
struct TraceTrack {
    std::string resource;  // its place: "node0.gpu3.hbm", "node0.gpu3.compute_engine"
    std::vector<TraceSlice> slices{};
    TraceTime busy() const;
};

struct Trace {
    std::vector<TraceOp> ops;
    std::vector<TraceTrack> tracks;
};

std::vector<TraceOp> trace_ops(const Program& program, const Timeline& timeline);
// With a track for each lane of the one rank that a timeline is of; a lane is free before the latency of its last byte.
Trace trace_of(const Program& program, const Timeline& timeline);

}  // namespace strata
