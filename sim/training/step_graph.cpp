#include "sim/training/step_graph.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace strata {

int StepGraph::add(int device, StepLane lane, Seconds duration) {
    tasks_.push_back({device, lane, duration, {}});
    return static_cast<int>(tasks_.size()) - 1;
}

std::vector<StepGraph::Span> StepGraph::run() const {
    const std::size_t count = tasks_.size();
    std::vector<std::vector<Wait>> after(count);  // who waits for a task, and how long after its end
    std::vector<int> missing(count);
    const auto add_edge = [&](std::size_t before, std::size_t task, Seconds lag) {
        after[before].push_back({static_cast<int>(task), lag});
        ++missing[task];
    };
    std::map<std::pair<int, StepLane>, std::size_t> last_of_lane;
    for (std::size_t i = 0; i < count; ++i) {
        for (const Wait& wait : tasks_[i].waits) add_edge(static_cast<std::size_t>(wait.task), i, wait.lag);
        const auto [lane, first] = last_of_lane.try_emplace({tasks_[i].device, tasks_[i].lane}, i);
        if (!first) add_edge(std::exchange(lane->second, i), i, Seconds(0));
    }
    std::vector<Span> spans(count);
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < count; ++i)
        if (missing[i] == 0) ready.push_back(i);
    std::size_t done = 0;
    for (; !ready.empty(); ++done) {
        const std::size_t i = ready.back();
        ready.pop_back();
        spans[i].end = spans[i].begin + tasks_[i].duration;
        for (const Wait& next : after[i]) {
            const auto other = static_cast<std::size_t>(next.task);
            spans[other].begin = std::max(spans[other].begin, spans[i].end + next.lag);
            if (--missing[other] == 0) ready.push_back(other);
        }
    }
    if (done < count) throw std::logic_error("tasks of a training step wait for each other in a circle");
    return spans;
}

Seconds StepGraph::busy(int device, StepLane lane) const {
    Seconds sum;
    for (const Task& task : tasks_)
        if (task.device == device && task.lane == lane) sum += task.duration;
    return sum;
}

}  // namespace strata
