#include "sim/result/critical_tasks.hpp"

#include <algorithm>
#include <limits>

namespace strata {

namespace {

constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

// Which task let each one begin, and when: an edge's when it has ended, the one before on the lane when the lane was
// free again (latency overlaps with the next task).
struct Releases {
    std::vector<std::uint32_t> by;
    std::vector<Seconds> at;

    Releases(const Program& program, const Timeline& timeline)
        : by(program.tasks.size(), kNobody), at(program.tasks.size()) {
        for (const Edge& edge : program.edges) offer(edge.after, edge.before, timeline.tasks[edge.before].end);
        std::array<std::uint32_t, kLanes> before;
        before.fill(kNobody);
        for (std::uint32_t i = 0; i < program.tasks.size(); ++i) {
            std::uint32_t& last = before[static_cast<std::size_t>(program.tasks[i].lane)];
            if (last != kNobody) offer(i, last, timeline.tasks[last].end - program.tasks[last].latency);
            last = i;
        }
    }

private:
    void offer(std::uint32_t task, std::uint32_t before, Seconds when) {
        if (by[task] != kNobody && when <= at[task]) return;
        by[task] = before;
        at[task] = when;
    }
};

}  // namespace

std::vector<CriticalTask> critical_tasks(const Program& program, const Timeline& timeline) {
    std::vector<CriticalTask> chain;
    if (program.tasks.empty()) return chain;
    const Releases releases(program, timeline);
    const auto last = std::max_element(timeline.tasks.begin(), timeline.tasks.end(),
                                       [](const Interval& a, const Interval& b) { return a.end < b.end; });
    auto at = static_cast<std::uint32_t>(last - timeline.tasks.begin());
    for (Seconds until = timeline.makespan; at != kNobody; at = releases.by[at]) {
        chain.push_back({.task = at, .released = releases.at[at], .until = until});
        until = std::min(timeline.tasks[at].begin, releases.at[at]);
    }
    return chain;
}

}  // namespace strata
