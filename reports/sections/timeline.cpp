#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/closer_look.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

double us(TraceTime time) { return double(time) / 1e6; }

// From when to when: all that belongs to one layer of one micro-batch.
struct Window {
    int layer = 0;
    TraceTime begin = 0, end = 0;
};

// The middle of the model is what most of a step looks like; its first and last layers differ.
Window middle_layer(const Trace& step) {
    int last = 0;
    for (const TraceOp& op : step.ops) last = std::max(last, op.layer);
    Window window{.layer = last / 2, .begin = step.ops.front().end, .end = 0};
    bool any = false;
    for (const TraceOp& op : step.ops) {
        if (op.layer != window.layer || op.batch != step.ops.back().batch || op.lane != Lane::compute) continue;
        window.begin = any ? std::min(window.begin, op.begin) : op.begin;
        window.end = any ? std::max(window.end, op.end) : op.end;
        any = true;
    }
    return window;
}

// All that lies in the window, whichever layer it is of: what is fetched ahead belongs to another.
Chart layer_chart(const Trace& step, const Window& window) {
    Chart chart{.name = "timeline",
                .title = fmt::format("What each lane does during layer {}", window.layer),
                .x = {.label = ""},
                .y = {.label = "time from the layer's begin [us]"}};
    std::map<std::string, Series> by_component;
    for (const TraceTrack& track : step.tracks) {
        const double row = double(chart.x.categories.size());
        bool any = false;
        for (const TraceSlice& slice : track.slices) {
            const TraceTime begin = std::max(slice.begin, window.begin), end = std::min(slice.end, window.end);
            if (begin >= end) continue;
            const std::string& component = step.ops[slice.op].component;
            Series& series = by_component[component];
            series.points.push_back({row, us(begin - window.begin), us(end - window.begin)});
            any = true;
        }
        if (any) chart.x.categories.push_back(track.resource);
    }
    int colour = 0;
    for (auto& [component, series] : by_component) {
        series.name = component;
        series.style = SeriesStyle::span;
        series.colour = colour++;
        chart.series.push_back(series);
    }
    return chart;
}

Table ops_table(const Trace& step, const Window& window) {
    Table table{.title = fmt::format("Ops of layer {}", window.layer),
                .columns = {"op", "component", "lane", "begin [us]", "duration [us]", "time is"},
                .folded = true};
    for (const TraceOp& op : step.ops)
        if (op.layer == window.layer && op.batch == step.ops.back().batch)
            table.rows.push_back({op.name, op.component, std::string(kLaneNames[static_cast<std::size_t>(op.lane)]),
                                  fmt::format("{:.2f}", us(op.begin - window.begin)),
                                  fmt::format("{:.2f}", us(op.end - op.begin)), op.origin});
    return table;
}

}  // namespace

std::optional<Section> timeline_section(const CloserLook* closer) {
    if (!closer || closer->step.ops.empty()) return std::nullopt;
    const Trace& step = closer->step;
    const Window window = middle_layer(step);
    if (window.end <= window.begin) return std::nullopt;
    TraceTime whole = 0;
    for (const TraceOp& op : step.ops) whole = std::max(whole, op.end);
    Section section{.title = "What happens when"};
    section.paragraphs = {
        fmt::format("Layer {} at {}, {} us of a step of {} ms: one rank's lanes, as the analytic engine lays them out. "
                    "\"strata run --trace FILE\" writes the whole step of every rank for a trace viewer.",
                    window.layer, closer->point, plain(us(window.end - window.begin)), plain(us(whole) / 1e3))};
    section.charts = {layer_chart(step, window)};
    section.tables = {ops_table(step, window)};
    section.footnotes = {"What lies before 0 in the table was begun ahead of the layer."};
    return section;
}

}  // namespace strata
