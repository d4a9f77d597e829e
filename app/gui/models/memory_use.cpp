#include "app/gui/models/memory_use.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace strata {

namespace {

// As the timeline calls them, from the nearest to the farthest; each keeps its colour whatever the others are.
constexpr std::array<std::string_view, 5> kParts{"HBM", "host memory", "NVMe", "PCIe, host link", "CXL"};

int layers_of(const StepTimeline& timeline) {
    int layers = 0;
    for (const TimelineLane& lane : timeline.lanes)
        for (const TimelineSpan& span : lane.spans()) layers = std::max(layers, span.layer + 1);
    return layers;
}

}  // namespace

Chart memory_use(const StepTimeline& timeline, int steps) {
    Chart chart{.name = "memory_use",
                .title = "Bandwidth in use over the step",
                .x = {.label = "time [ms]"},
                .y = {.label = "share of its rate, a layer's mean [%]"}};
    const double step_us = timeline.makespan_us / steps;
    const int layers = layers_of(timeline);
    const double half_us = std::max(step_us, layers > 0 ? timeline.makespan_us / layers : 0) / 2;
    for (const TimelineLane& lane : timeline.lanes) {
        const auto part = std::ranges::find(kParts, lane.name());
        if (part == kParts.end() || lane.rank() != timeline.lanes.front().rank() || lane.spans().empty()) continue;
        Series series{.name = lane.name(), .colour = static_cast<int>(part - kParts.begin())};
        for (int i = 0; i < steps; ++i) {
            const double at = (i + 0.5) * step_us;
            const double from = std::max(0.0, at - half_us), to = std::min(timeline.makespan_us, at + half_us);
            series.points.push_back({.x = at / 1e3, .y = 100 * lane.use(from, to).busy() / (to - from)});
        }
        chart.series.push_back(std::move(series));
    }
    return chart;
}

}  // namespace strata
