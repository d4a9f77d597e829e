#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/closer_look.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kMostBars = 12;
constexpr double kNoSwing = 1e-4;  // of the metric: below, an input changes nothing that anyone could see

// The widest first, each from its low to its high end.
Chart tornado_chart(const Tornado& tornado, const std::vector<const Swing*>& wide) {
    Chart chart{.name = "sensitivity",
                .title = fmt::format("{} with one input at a time at either end", tornado.metric),
                .x = {.label = ""},
                .y = {.label = tornado.metric}};
    Series low{.name = "input at its low end", .style = SeriesStyle::span, .colour = 1},
        high{.name = "input at its high end", .style = SeriesStyle::span, .colour = 0};
    for (const Swing* swing : wide) {
        const double row = double(chart.x.categories.size()), base = tornado.base;
        chart.x.categories.push_back(swing->input);
        low.points.push_back({row, std::min(base, swing->low), std::max(base, swing->low)});
        high.points.push_back({row, std::min(base, swing->high), std::max(base, swing->high)});
    }
    chart.series = {low, high};
    return chart;
}

Table swings_table(const Tornado& tornado, const std::vector<const Swing*>& wide) {
    Table table{.title = fmt::format("{}, {} as it is", tornado.metric, plain(tornado.base)),
                .columns = {"input", "from, to", "at its low end", "at its high end", "swing"}};
    for (const Swing* swing : wide)
        table.rows.push_back({swing->input, swing->range, plain(swing->low), plain(swing->high),
                              percent(swing->width() / std::abs(tornado.base))});
    return table;
}

}  // namespace

std::optional<Section> sensitivity_section(const CloserLook* closer) {
    if (!closer) return std::nullopt;
    const Tornado& tornado = closer->tornado;
    std::vector<const Swing*> wide;
    std::string rest;
    for (const Swing& swing : tornado.swings) {
        if (!swing.obstacle.empty()) continue;
        if (wide.size() < kMostBars && swing.width() > kNoSwing * std::abs(tornado.base))
            wide.push_back(&swing);
        else if (swing.width() <= kNoSwing * std::abs(tornado.base))
            rest += (rest.empty() ? "" : ", ") + swing.input;
    }
    if (wide.empty()) return std::nullopt;
    Section section{.title = "How sensitive it is"};
    section.paragraphs = {fmt::format(
        "At {}, {} swings most with {}: from {} to {}, {} of it, by the analytic engine.", closer->point,
        tornado.metric, wide.front()->input, plain(std::min(wide.front()->low, wide.front()->high)),
        plain(std::max(wide.front()->low, wide.front()->high)), percent(wide.front()->width() / tornado.base))};
    section.charts = {tornado_chart(tornado, wide)};
    section.tables = {swings_table(tornado, wide)};
    section.footnotes = {
        "Each input moves alone. Hardware numbers are divided and multiplied by the factor given; sources of error of "
        "the cost book go from their 10th to their 90th percentile."};
    if (!rest.empty()) section.footnotes.push_back("No difference: " + rest + ".");
    if (tornado.unknown_share > 0)
        section.footnotes.push_back(
            fmt::format("Of {} of the step nobody knows the error.", percent(tornado.unknown_share)));
    return section;
}

}  // namespace strata
