#include <fmt/format.h>

#include <algorithm>

#include "reports/collective_view.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

double of(const PointResult& result, const char* metric) { return result.run->metrics.at(metric); }

// "by_domain, forwarded": values that are words say what they are of; numbers need their name.
std::string name_of(const Group& group, const XAxis& x, bool with_engine) {
    std::string name;
    for (const auto& [path, value] : group.results.front()->settings) {
        if (path == x.path) continue;
        const bool number = !value.empty() && value.find_first_not_of("0123456789.") == std::string::npos;
        name += fmt::format("{}{}{}", name.empty() ? "" : ", ", number ? short_name(path) + " " : "", value);
    }
    if (with_engine || name.empty()) name += (name.empty() ? "" : ", ") + group.engine;
    return name;
}

// A metric along the axis: a line for each group of other settings, dashed for flows where packets ran too.
Chart collective_chart(const Study& study, const XAxis& x, Chart chart, const char* metric, double scale) {
    chart.x = x.axis;
    const bool both = several_engines_ran(study);
    for (const Group& group : groups_of(study, x)) {
        Series series{
            .name = name_of(group, x, both), .dashed = both && group.engine == "flow", .colour = group.colour};
        for (const PointResult* result : group.results)
            if (const auto at = x.position(*result); at && ran(*result))
                series.points.push_back({*at, of(*result, metric) * scale});
        if (!series.points.empty()) chart.series.push_back(std::move(series));
    }
    return chart;
}

std::string settings_text(const PointResult& result) {
    std::string text;
    for (const auto& [path, value] : result.settings)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", short_name(path), value);
    return text;
}

const PointResult& fastest_exchange(const Study& study) {
    const PointResult* fastest = nullptr;
    for (const PointResult& result : study.results)
        if (ran(result) && (!fastest || of(result, "collective.time_us") < of(*fastest, "collective.time_us")))
            fastest = &result;
    return *fastest;
}

// How far packets are from flows, where both ran.
std::optional<std::string> agreement_text(const Study& study) {
    double least = 1e300, most = -1e300;
    const PointResult* flow = nullptr;
    for (const PointResult& result : study.results) {
        if (ran(result) && result.engine == "flow") flow = &result;
        if (!ran(result) || result.engine != "packet" || !flow || flow->settings != result.settings) continue;
        const double off = of(result, "collective.time_us") / of(*flow, "collective.time_us") - 1;
        least = std::min(least, off);
        most = std::max(most, off);
    }
    if (most < least) return std::nullopt;
    return fmt::format(
        "Packet by packet it takes {:+.1f} % to {:+.1f} % more than fair sharing of the links says: packets stand in "
        "queues behind others; where it is less, they find ways that flows do not.",
        100 * least, 100 * most);
}

}  // namespace

Section collective_summary_section(const Study& study) {
    Section section{.title = "How long it takes, and what holds it up"};
    const PointResult& fastest = fastest_exchange(study);
    const std::string at = settings_text(fastest);
    section.paragraphs = {
        fmt::format("The fastest{} takes {:.1f} us, {:.1f} GB/s of bus bandwidth. Its busiest link is busy for {:.0f} "
                    "% of that: {}.",
                    at.empty() ? "" : " (" + at + ")", of(fastest, "collective.time_us"),
                    of(fastest, "collective.bus_bandwidth_GBps"), 100 * of(fastest, "collective.busiest_link_share"),
                    fastest.run->bottleneck)};
    if (const auto agreement = agreement_text(study)) section.paragraphs.push_back(*agreement);
    if (const auto x = x_axis_of(study))
        section.charts = {
            collective_chart(study, *x,
                             {.name = "collective-time", .title = "Time", .x = {}, .y = {.label = "time [us]"}},
                             "collective.time_us", 1),
            collective_chart(study, *x,
                             {.name = "collective-busiest",
                              .title = "Share of the time that the busiest link is busy",
                              .x = {},
                              .y = {.label = "busy [%]"}},
                             "collective.busiest_link_share", 100)};
    section.footnotes = {
        "Bus bandwidth as nccl-tests has it: what leaves a rank, over the time; of a dispatch or combine, copies of "
        "tokens "
        "for other domains (or ranks). docs/metrics.md defines each word."};
    return section;
}

Section collective_points_section(const Study& study) {
    Section section{.title = "All points"};
    Table table{.title = "Results", .columns = {}};
    for (const auto& setting : study.results.front().settings) table.columns.push_back(short_name(setting.first));
    const bool engines = several_engines_ran(study);
    if (engines) table.columns.push_back("engine");
    const std::vector<AccessColumn> columns = collective_columns(study);
    for (const AccessColumn& column : columns) table.columns.push_back(column.head);
    table.columns.push_back(kBusiestLink);
    for (const PointResult& result : study.results) {
        auto& row = table.rows.emplace_back();
        for (const auto& setting : result.settings) row.push_back(setting.second);
        if (engines) row.push_back(result.engine);
        for (const AccessColumn& column : columns) row.push_back(ran(result) ? cell(*result.run, column) : "-");
        row.push_back(ran(result) ? result.run->bottleneck : std::string(to_string(result.status)));
        if (!ran(result))
            section.footnotes.push_back(
                fmt::format("{}: {}: {}", settings_text(result), to_string(result.status), result.reason));
    }
    section.tables = {std::move(table)};
    return section;
}

}  // namespace strata
