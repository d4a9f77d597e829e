#include "reports/sections/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/search_text.hpp"
#include "reports/study_view.hpp"
#include "sim/study/refinement.hpp"

namespace strata {

namespace {

constexpr std::size_t kShownPoints = 1500;  // of all that ran: more of them neither a page nor an eye takes

bool spans_decades(const std::vector<Series>& series, double ChartPoint::*along) {
    double low = INFINITY, high = -INFINITY;
    for (const Series& one : series)
        for (const ChartPoint& point : one.points) {
            low = std::min(low, point.*along);
            high = std::max(high, point.*along);
        }
    return low > 0 && high / low >= 30;
}

Series sampled(const SearchResult& search) {
    Series series{.name = "", .style = SeriesStyle::markers, .colour = 5};
    std::vector<std::size_t> ran;
    for (std::size_t i = 0; i < search.screened.size(); ++i)
        if (search.screened.ran(i)) ran.push_back(i);
    for (const std::size_t place : thinned(ran.size(), kShownPoints)) {
        const double x = search.screened.value(ran[place], search.spec.objectives[0].metric);
        const double y = search.screened.value(ran[place], search.spec.objectives[1].metric);
        if (!std::isnan(x) && !std::isnan(y)) series.points.push_back({x, y});
    }
    series.name = fmt::format("{} of the {} points that run", series.points.size(), ran.size());
    return series;
}

std::string axis_label(const Objective& objective) {
    return fmt::format("{} ({} is better)", objective.metric, objective.maximise ? "more" : "less");
}

Chart front_chart(const SearchResult& search) {
    Chart chart{
        .name = "front",
        .title = fmt::format("{} against {}", search.spec.objectives[0].metric, search.spec.objectives[1].metric),
        .x = {.label = axis_label(search.spec.objectives[0])},
        .y = {.label = axis_label(search.spec.objectives[1])}};
    Series front{.name = "front, screened by the analytic engine", .colour = 0};
    Series refined{.name = "the same points in systemc", .style = SeriesStyle::markers, .colour = 1};
    for (const RefinedPoint& point : search.refined) {
        if (!point.on_front) continue;
        front.points.push_back({point.screened[0], point.screened[1]});
        if (search.spec.refine && !std::isnan(point.refined[0]) && !std::isnan(point.refined[1]))
            refined.points.push_back({point.refined[0], point.refined[1]});
    }
    chart.series = {sampled(search), std::move(front)};
    if (!refined.points.empty()) chart.series.push_back(std::move(refined));
    chart.x.log = spans_decades(chart.series, &ChartPoint::x);
    chart.y.log = spans_decades(chart.series, &ChartPoint::y);
    if (search.recommended) {
        const RefinedPoint& point = search.refined[*search.recommended];
        chart.annotations = {{"recommended", point.refined[0], point.refined[1]}};
    }
    return chart;
}

Table refined_table(const SearchResult& search) {
    Table table{.title = search.spec.refine ? "The front and its neighbours, by both engines" : "The front",
                .columns = {""}};
    const Settings settings = search.screened.plan().settings(search.refined.front().point);
    for (const auto& [path, value] : settings) table.columns.push_back(short_name(path));
    for (const Objective& objective : search.spec.objectives) {
        table.columns.push_back(objective.metric + (search.spec.refine ? ", analytic" : ""));
        if (search.spec.refine) table.columns.push_back("systemc");
    }
    if (search.spec.refine) table.columns.insert(table.columns.end(), {"differs by", "in systemc"});
    for (std::size_t i = 0; i < search.refined.size(); ++i) {
        const RefinedPoint& point = search.refined[i];
        auto& row = table.rows.emplace_back();
        row.push_back(search.recommended == i ? "recommended" : point.on_front ? "front" : "neighbour");
        for (const auto& [path, value] : search.screened.plan().settings(point.point)) row.push_back(value);
        for (std::size_t k = 0; k < point.screened.size(); ++k) {
            row.push_back(fmt::format("{:.5g}", point.screened[k]));
            if (search.spec.refine)
                row.push_back(std::isnan(point.refined[k]) ? "-" : fmt::format("{:.5g}", point.refined[k]));
        }
        if (!search.spec.refine) continue;
        row.push_back(std::isnan(point.difference()) ? "-" : percent(point.difference()));
        row.push_back(point.stays ? "on the front" : point.holds ? "behind it" : "fails a constraint");
    }
    table.folded = table.rows.size() > 40;
    return table;
}

Table tally_table(const SearchResult& search) {
    Table table{.title = "What keeps points out",
                .columns = {"constraint, or why it does not run", "points", "of all"}};
    const auto add = [&](const std::string& what, std::size_t count) {
        table.rows.push_back({what, std::to_string(count), percent(double(count) / double(search.screened.size()))});
    };
    for (const ConstraintTally& tally : search.tally)
        add(tally.unknown == 0
                ? tally.constraint.text
                : fmt::format("{} ({} of these have no such number)", tally.constraint.text, tally.unknown),
            tally.failed);
    for (const auto& [reason, count] : search.screened.obstacles) add(reason, count);
    return table;
}

Table path_table(const SearchOptimum& optimum, const Objective& objective) {
    Table table{.title = "The way of the optimiser along the ranges",
                .columns = {"run", "place, as shares of the ranges", objective.metric, "constraints"},
                .folded = true};
    for (std::size_t i = 0; i < optimum.found.path.size(); ++i) {
        const auto& [place, trial] = optimum.found.path[i];
        std::vector<std::string> shares;
        for (const double share : place) shares.push_back(fmt::format("{:.4f}", share));
        table.rows.push_back({std::to_string(i + 1), fmt::format("{}", fmt::join(shares, ", ")),
                              trial.runs ? fmt::format("{:.6g}", objective.maximise ? trial.value : -trial.value) : "-",
                              !trial.runs        ? "does not run"
                              : trial.feasible() ? i == optimum.found.best ? "held: the best" : "held"
                                                 : "not held"});
    }
    return table;
}

}  // namespace

Section search_section(const SearchResult& search) {
    Section section{.title = "Verdict", .paragraphs = search_text(search)};
    if (search.refined.empty()) {
        section.tables = {tally_table(search)};
        return section;
    }
    if (search.spec.objectives.size() > 1) section.charts = {front_chart(search)};
    section.tables = {refined_table(search), tally_table(search)};
    if (search.optimum) section.tables.push_back(path_table(*search.optimum, search.spec.objectives.front()));
    section.footnotes = {
        "Front: the points that no other beats in one objective without being worse in another, among those that hold "
        "the constraints. All points are in results.csv."};
    return section;
}

}  // namespace strata
