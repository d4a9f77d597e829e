#include <fmt/format.h>

#include <algorithm>

#include "reports/sections/sections.hpp"
#include "reports/serving_view.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// A percentile of each point along the axis, one line a group of other settings.
Chart serving_chart(const Study& study, const XAxis& x, const std::string& name, const std::string& title,
                    const std::string& label, const std::vector<std::pair<std::string, std::string>>& metrics) {
    Chart chart{.name = name, .title = title, .x = x.axis, .y = {.label = label}};
    for (const Group& group : groups_of(study, x))
        for (std::size_t i = 0; i < metrics.size(); ++i) {
            Series series{.name = group.settings.empty() ? metrics[i].second
                                                         : fmt::format("{}, {}", metrics[i].second, group.settings),
                          .dashed = i > 0,
                          .colour = group.colour};
            for (const PointResult* result : group.results)
                if (const auto at = x.position(*result); at && ran(*result))
                    series.points.push_back({*at, result->run->metrics.at(metrics[i].first)});
            if (!series.points.empty()) chart.series.push_back(std::move(series));
        }
    return chart;
}

// By origin, of the time of all steps that were taken.
Table provenance_of(const Run& run) {
    Table table{.title = "How well the time of its steps is known", .columns = {"origin", "share of kernel time"}};
    for (const auto& [origin, share] : run.share_of_compute)
        table.rows.push_back({origin, fmt::format("{:.1f} %", 100 * share)});
    return table;
}

// What failures did at the point that is recommended.
std::string failures_of(const std::map<std::string, double>& metrics) {
    return fmt::format(
        "{:.0f} accelerators failed in that time: {:.2f} % of all accelerator time was there, {:.0f} sequences lost "
        "their KV, {:.0f} tokens were computed again, and every request was answered.",
        metrics.at("serving.failures"), 100 * metrics.at("serving.availability"), metrics.at("serving.losses"),
        metrics.at("serving.recomputed_tokens"));
}

// The point that serves most requests within the limits.
const PointResult* best_of(const Study& study) {
    const PointResult* best = nullptr;
    const auto goodput = [](const PointResult& result) { return result.run->metrics.at("serving.goodput_per_s"); };
    for (const PointResult& result : study.results)
        if (ran(result) && (!best || goodput(result) > goodput(*best))) best = &result;
    return best;
}

}  // namespace

Section serving_summary_section(const Study& study) {
    Section section{.title = "What requests see"};
    const PointResult* best = best_of(study);
    const auto& metrics = best->run->metrics;
    std::string at;
    for (const auto& [path, value] : best->settings)
        at += fmt::format("{}{} {}", at.empty() ? " at " : ", ", short_name(path), value);
    section.paragraphs = {
        fmt::format("Most requests are served within the limits{}: {:.2f} a second, {:.1f} % of those that came, with "
                    "a TTFT of {:.0f} ms "
                    "and a TPOT of {:.1f} ms in the middle, {:.0f} ms and {:.1f} ms for one in a hundred.",
                    at, metrics.at("serving.goodput_per_s"), 100 * metrics.at("serving.served_well"),
                    metrics.at("serving.ttft_p50_ms"), metrics.at("serving.tpot_p50_ms"),
                    metrics.at("serving.ttft_p99_ms"), metrics.at("serving.tpot_p99_ms"))};
    if (const auto rate = metrics.find("workload.rate"); rate != metrics.end() && best->settings.empty())
        section.paragraphs.back() += fmt::format(" {:.2f} arrive a second.", rate->second);
    if (metrics.at("serving.failures") > 0) section.paragraphs.push_back(failures_of(metrics));
    section.tables = {provenance_of(*best->run)};
    if (auto x = x_axis_of(study)) {
        if (x->path == "workload.rate") x->axis.label = "rate [requests/s]";
        section.charts = {
            serving_chart(study, *x, "ttft", "Time to first token", "TTFT [ms]",
                          {{"serving.ttft_p50_ms", "p50"}, {"serving.ttft_p99_ms", "p99"}}),
            serving_chart(study, *x, "tpot", "Time per output token", "TPOT [ms]",
                          {{"serving.tpot_p50_ms", "p50"}, {"serving.tpot_p99_ms", "p99"}}),
            serving_chart(study, *x, "goodput", "Requests served within the limits", "requests/s",
                          {{"serving.goodput_per_s", "within the limits"}, {"serving.requests_per_s", "all"}})};
        section.charts[0].y.log = true;
    }
    section.footnotes = {
        "docs/metrics.md defines each word. Steps take what the analytic engine says of their shape; a step that "
        "decodes and "
        "computes prompts takes the sum of both, an upper bound."};
    return section;
}

Section serving_points_section(const Study& study) {
    Section section{.title = "All points"};
    Table table{.title = "Results", .columns = {}};
    for (const auto& setting : study.results.front().settings) table.columns.push_back(short_name(setting.first));
    for (const AccessColumn& column : serving_columns(study)) table.columns.push_back(column.head);
    for (const PointResult& result : study.results) {
        auto& row = table.rows.emplace_back();
        for (const auto& setting : result.settings) row.push_back(setting.second);
        for (const AccessColumn& column : serving_columns(study))
            row.push_back(ran(result) ? cell(*result.run, column) : "-");
        if (!ran(result)) section.footnotes.push_back(fmt::format("{}: {}", to_string(result.status), result.reason));
    }
    section.tables = {std::move(table)};
    return section;
}

}  // namespace strata
