#include "app/gui/models/timeline_lanes.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>

#include "sim/result/critical_tasks.hpp"
#include "sim/result/run.hpp"

namespace strata {

namespace {

constexpr std::uint8_t kPart = kSpanKinds - 1;

const char* title_of(Lane lane) {
    switch (lane) {
        case Lane::compute: return "compute";
        case Lane::host_fetch: return "copy from host";
        case Lane::nvme_fetch: return "copy from NVMe";
        case Lane::scale_up: return "fabric, scale-up";
        case Lane::scale_out: return "fabric, scale-out";
        case Lane::cxl_fetch: return "copy from CXL";
        case Lane::host_compute: return "host cores";
    }
    return "";
}

std::string title_of_part(const std::string& name) {
    static const std::map<std::string, std::string> known{
        {"hbm", "HBM"}, {"host_link", "PCIe, host link"}, {"host_memory", "host memory"}, {"nvme", "NVMe"},
        {"cxl", "CXL"}, {"scale_up", "scale-up wire"},    {"scale_out", "scale-out wire"}};
    const std::string last = name.substr(name.rfind('.') + 1);
    const auto at = known.find(last);
    return at == known.end() ? last : at->second;
}

void add(TimelineLane::Use& use, const TimelineSpan& span, double us) {
    use.us[span.kind] += us;
    if (span.critical) use.critical_us += us;
}

class Names {
public:
    std::uint32_t of(const std::string& name) {
        const auto [at, is_new] = indices_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
        if (is_new) names_.push_back(name);
        return at->second;
    }
    std::vector<std::string> all() const { return names_; }

private:
    std::map<std::string, std::uint32_t> indices_;
    std::vector<std::string> names_;
};

void add_lanes(StepTimeline& timeline, Names& names, const Program& program, const RankTrace& trace) {
    if (trace.timeline.tasks.size() != program.tasks.size())
        throw std::logic_error("timeline_of: the trace is of another Program");
    std::set<std::uint32_t> critical;
    for (const CriticalTask& task : critical_tasks(program, trace.timeline)) critical.insert(task.task);
    std::array<std::vector<TimelineSpan>, kLanes> spans;
    for (std::uint32_t i = 0; i < program.tasks.size(); ++i) {
        const Task& task = program.tasks[i];
        const Interval& at = trace.timeline.tasks[i];
        spans[static_cast<std::size_t>(task.lane)].push_back(
            {.begin_us = to_us(at.begin),
             .end_us = to_us(at.end),
             .name = names.of(component_of(task.slot) + " " + std::string(task.name)),
             .layer = program.tasks.layer(i),
             .kind = static_cast<std::uint8_t>(task.slot),
             .critical = critical.contains(i)});
    }
    const std::string rank = trace.name + ", " + trace.role;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        if (!spans[lane].empty())
            timeline.lanes.emplace_back(rank, title_of(static_cast<Lane>(lane)), std::move(spans[lane]));
    for (const BusyPart& part : trace.parts) {
        const std::string title = title_of_part(part.name);
        std::vector<TimelineSpan> busy;
        for (const Interval& at : part.busy)
            busy.push_back(
                {.begin_us = to_us(at.begin), .end_us = to_us(at.end), .name = names.of(title), .kind = kPart});
        timeline.lanes.emplace_back(rank, title, std::move(busy));
    }
}

}  // namespace

double TimelineLane::Use::busy() const { return std::accumulate(us.begin(), us.end(), 0.0); }
std::size_t TimelineLane::Use::most() const {
    return static_cast<std::size_t>(std::ranges::max_element(us) - us.begin());
}

TimelineLane::TimelineLane(std::string rank, std::string name, std::vector<TimelineSpan> spans)
    : rank_(std::move(rank)), name_(std::move(name)), spans_(std::move(spans)) {
    std::ranges::stable_sort(spans_, {}, &TimelineSpan::begin_us);
    Use all;
    for (std::size_t i = 0; i < spans_.size(); ++i) {
        TimelineSpan& span = spans_[i];
        if (i + 1 < spans_.size()) span.end_us = std::min(span.end_us, spans_[i + 1].begin_us);
        span.end_us = std::max(span.end_us, span.begin_us);
        if (i % kBlock == 0) sums_.push_back(all);
        add(all, span, span.us());
    }
    sums_.push_back(all);
}

std::pair<std::size_t, std::size_t> TimelineLane::within(double from_us, double to_us) const {
    const auto first = std::ranges::upper_bound(spans_, from_us, {}, &TimelineSpan::end_us);
    const auto last = std::ranges::lower_bound(first, spans_.end(), to_us, {}, &TimelineSpan::begin_us);
    return {std::size_t(first - spans_.begin()), std::size_t(last - spans_.begin())};
}

TimelineLane::Use TimelineLane::use(double from_us, double to_us) const {
    const auto [first, last] = within(from_us, to_us);
    Use found;
    const std::size_t first_block = (first + kBlock - 1) / kBlock, last_block = last / kBlock;
    const auto one_by_one = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) add(found, spans_[i], spans_[i].us());
    };
    if (first_block >= last_block) {
        one_by_one(first, last);
    } else {
        one_by_one(first, first_block * kBlock);
        one_by_one(last_block * kBlock, last);
        for (std::size_t kind = 0; kind < kSpanKinds; ++kind)
            found.us[kind] += sums_[last_block].us[kind] - sums_[first_block].us[kind];
        found.critical_us += sums_[last_block].critical_us - sums_[first_block].critical_us;
    }
    if (first == last) return found;
    // What of the outer spans lies outside.
    const TimelineSpan &front = spans_[first], &back = spans_[last - 1];
    add(found, front, -std::max(0.0, from_us - front.begin_us));
    add(found, back, -std::max(0.0, back.end_us - to_us));
    return found;
}

StepTimeline timeline_of(const Program& program, const std::vector<RankTrace>& traces) {
    StepTimeline timeline;
    Names names;
    for (const RankTrace& trace : traces) {
        timeline.makespan_us = std::max(timeline.makespan_us, to_us(trace.timeline.makespan));
        add_lanes(timeline, names, program, trace);
    }
    timeline.names = names.all();
    return timeline;
}

std::vector<SpanTotal> totals_of(const StepTimeline& timeline) {
    std::vector<SpanTotal> totals;
    for (const TimelineLane& lane : timeline.lanes) {
        std::map<std::uint32_t, SpanTotal> by_name;
        for (const TimelineSpan& span : lane.spans()) {
            SpanTotal& total = by_name[span.name];
            ++total.count;
            total.us += span.us();
            if (span.critical) total.critical_us += span.us();
        }
        for (auto& [name, total] : by_name) {
            total.name = timeline.names[name];
            total.rank = lane.rank();
            total.lane = lane.name();
            totals.push_back(std::move(total));
        }
    }
    std::ranges::stable_sort(totals, std::greater{}, &SpanTotal::us);
    return totals;
}

}  // namespace strata
