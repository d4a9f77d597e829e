#include "sim/result/critical_path.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

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

std::string source_of(const Task& task) {
    switch (task.pricing) {
        case Pricing::kernel:
        case Pricing::exchange:
        case Pricing::overlapped: return std::string(to_string(task.family));
        case Pricing::wire: return "wire";
        case Pricing::fetch: return "fetch";
        case Pricing::host_kernel: return "host cores";
        case Pricing::fabric: return "fabric";
        case Pricing::given: return "pipeline fill";
    }
    return {};
}

// A source of error as numbers: most tasks of a step are of few, and this is asked of each point.
std::size_t key_of(const Task& task) {
    const bool by_family =
        task.pricing == Pricing::kernel || task.pricing == Pricing::exchange || task.pricing == Pricing::overlapped;
    const std::size_t source =
        by_family ? static_cast<std::size_t>(task.family) : kFamilies + static_cast<std::size_t>(task.pricing);
    return source * 8 + static_cast<std::size_t>(task.origin);
}

}  // namespace

double CriticalPath::total_ms() const {
    return std::accumulate(times.begin(), times.end(), 0.0, [](double sum, const PathTime& t) { return sum + t.ms; });
}

double CriticalPath::unknown_share() const {
    double unknown = 0;
    for (const PathTime& time : times)
        if (!time.exact() && !time.has_band()) unknown += time.ms;
    return unknown > 0 ? unknown / total_ms() : 0;
}

CriticalPath critical_path(const Program& program, const Timeline& timeline, const std::string& device) {
    CriticalPath path{.device = device, .times = {}};
    if (program.tasks.empty()) return path;
    const Releases releases(program, timeline);
    std::map<std::size_t, PathTime> found;
    Seconds waiting;
    const auto last = std::max_element(timeline.tasks.begin(), timeline.tasks.end(),
                                       [](const Interval& a, const Interval& b) { return a.end < b.end; });
    auto at = static_cast<std::uint32_t>(last - timeline.tasks.begin());
    for (Seconds until = timeline.makespan; at != kNobody;) {
        const Task& task = program.tasks[at];
        const Seconds begin = timeline.tasks[at].begin, released = releases.at[at];
        PathTime& time = found[key_of(task)];
        if (time.family.empty()) {
            time.family = source_of(task);
            time.origin = to_string(task.origin);
        }
        const double ms = to_ms(until - begin);
        time.ms += ms;
        time.p10_ms += ms * task.low;
        time.p90_ms += ms * task.high;
        waiting += std::max(Seconds(0), begin - released);  // for what other ranks hold: never in the analytic engine
        until = std::min(begin, released);
        at = releases.by[at];
    }
    for (const auto& [key, time] : found)
        if (time.ms > 0) path.times.push_back(time);
    constexpr double kRounding = 1e-9;
    if (const double ms = to_ms(waiting); ms > kRounding * to_ms(timeline.makespan))
        path.times.push_back({.family = "waiting", .origin = "modelled", .ms = ms, .p10_ms = ms, .p90_ms = ms});
    std::stable_sort(path.times.begin(), path.times.end(), [](const auto& a, const auto& b) { return a.ms > b.ms; });
    return path;
}

}  // namespace strata
