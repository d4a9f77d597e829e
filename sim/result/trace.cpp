#include "sim/result/trace.hpp"

#include <cmath>

#include "sim/result/run.hpp"

namespace strata {

namespace {

TraceTime in_ps(Seconds time) { return std::llround(time.si() * 1e12); }

}  // namespace

TraceTime TraceTrack::busy() const {
    TraceTime sum = 0;
    for (const TraceSlice& slice : slices) sum += slice.end - slice.begin;
    return sum;
}

std::vector<TraceOp> trace_ops(const Program& program, const Timeline& timeline) {
    std::vector<TraceOp> ops;
    ops.reserve(program.tasks.size());
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        const Task& task = program.tasks[i];
        ops.push_back({.name = std::string(task.name),
                       .component = component_of(task.slot),
                       .origin = std::string(to_string(task.origin)),
                       .lane = task.lane,
                       .layer = program.tasks.layer(i),
                       .batch = program.tasks.batch(i),
                       .begin = in_ps(timeline.tasks[i].begin),
                       .end = in_ps(timeline.tasks[i].end),
                       .flops = task.flops.si(),
                       .bytes = task.moved.si(),
                       .peers = task.peers});
    }
    for (const Edge& edge : program.edges) ops[edge.after].after.push_back(edge.before);
    return ops;
}

Trace trace_of(const Program& program, const Timeline& timeline) {
    Trace trace{.ops = trace_ops(program, timeline), .tracks = {}};
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        TraceTrack track{.resource = std::string(kLaneNames[lane])};
        for (std::uint32_t i = 0; i < program.tasks.size(); ++i)
            if (static_cast<std::size_t>(program.tasks[i].lane) == lane)
                track.slices.push_back(
                    {.op = i, .begin = trace.ops[i].begin, .end = trace.ops[i].end - in_ps(program.tasks[i].latency)});
        if (!track.slices.empty()) trace.tracks.push_back(std::move(track));
    }
    return trace;
}

}  // namespace strata
