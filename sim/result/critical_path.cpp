#include "sim/result/critical_path.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "sim/result/critical_tasks.hpp"

namespace strata {

namespace {

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

constexpr std::size_t kOrigins = 8;
constexpr std::size_t kKeys = (kFamilies + static_cast<std::size_t>(Pricing::given) + 1) * kOrigins;

// A source of error as numbers: most tasks of a step are of few, and this is asked of each point.
std::size_t key_of(const Task& task) {
    const bool by_family =
        task.pricing == Pricing::kernel || task.pricing == Pricing::exchange || task.pricing == Pricing::overlapped;
    const std::size_t source =
        by_family ? static_cast<std::size_t>(task.family) : kFamilies + static_cast<std::size_t>(task.pricing);
    return source * kOrigins + static_cast<std::size_t>(task.origin);
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
    std::array<std::optional<PathTime>, kKeys> found;
    Seconds waiting;
    for (const auto& [at, released, until] : critical_tasks(program, timeline)) {
        const Task& task = program.tasks[at];
        const Seconds begin = timeline.tasks[at].begin;
        std::optional<PathTime>& known = found[key_of(task)];
        if (!known) known = PathTime{.family = source_of(task), .origin = std::string(to_string(task.origin))};
        PathTime& time = *known;
        const double ms = to_ms(until - begin);
        time.ms += ms;
        time.p10_ms += ms * task.low;
        time.p90_ms += ms * task.high;
        waiting += std::max(Seconds(0), begin - released);  // for what other ranks hold: never in the analytic engine
    }
    for (std::optional<PathTime>& time : found)
        if (time && time->ms > 0) path.times.push_back(std::move(*time));
    constexpr double kRounding = 1e-9;
    if (const double ms = to_ms(waiting); ms > kRounding * to_ms(timeline.makespan))
        path.times.push_back({.family = "waiting", .origin = "modelled", .ms = ms, .p10_ms = ms, .p90_ms = ms});
    std::stable_sort(path.times.begin(), path.times.end(), [](const auto& a, const auto& b) { return a.ms > b.ms; });
    return path;
}

}  // namespace strata
