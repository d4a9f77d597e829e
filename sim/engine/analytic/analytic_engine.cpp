#include "sim/engine/analytic/analytic_engine.hpp"

#include <algorithm>

namespace strata {

// Tasks are in topological order and a lane serves them in that order, so one sweep settles every start. Latency
// overlaps with the lane's next task: only the wire time occupies it.
Timeline run_analytic(const Program& program) {
    Timeline timeline;
    timeline.tasks.resize(program.tasks.size());
    std::vector<Seconds> ready(program.tasks.size());
    std::array<Seconds, kLanes> lane_free{};
    Seconds chained;  // until when the task at hand waits for the one before it: most do for nothing else
    auto edge = program.edges.begin();
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        const Task& task = program.tasks[i];
        const auto lane = static_cast<std::size_t>(task.lane);
        const Seconds begin = std::max({ready[i], chained, lane_free[lane]});
        const Seconds end = begin + task.duration;
        const Seconds occupied = task.duration - task.latency;
        lane_free[lane] = begin + occupied;
        timeline.busy[lane] += occupied;
        timeline.tasks[i] = {begin, end};
        timeline.makespan = std::max(timeline.makespan, end);
        chained = Seconds(0);
        for (; edge != program.edges.end() && edge->before == i; ++edge)
            if (edge->after == i + 1)
                chained = end;
            else
                ready[edge->after] = std::max(ready[edge->after], end);
    }
    return timeline;
}

}  // namespace strata
