#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

struct Column {
    std::string metric, head;
};

const std::vector<Column>& columns() {
    static const std::vector<Column> all{{"workload.batch", "batch"},
                                         {"cost.usd_per_million_tokens", "USD per million tokens"},
                                         {"cost.usd_per_million_total_tokens", "with input tokens"},
                                         {"cost.usd_per_hour", "USD/h"},
                                         {"cost.capital_usd", "capital [USD]"},
                                         {"energy.joules_per_token", "J per token"},
                                         {"energy.power_w_per_accelerator", "accelerator [W]"},
                                         {"energy.node_w_per_accelerator", "with its share of the node [W]"}};
    return all;
}

std::optional<double> value_of(const PointResult& result, const std::string& metric) {
    if (!ran(result)) return std::nullopt;
    const auto found = result.run->metrics.find(metric);
    return found == result.run->metrics.end() ? std::nullopt : std::optional(found->second);
}

// The typical price, and the ends of the lists where they are known.
std::string cell(const PointResult& result, const std::string& metric) {
    const auto value = value_of(result, metric);
    if (!value) return "-";
    const auto low = value_of(result, metric + "_low"), high = value_of(result, metric + "_high");
    return low && high ? fmt::format("{} ({} to {})", plain(*value), plain(*low), plain(*high)) : plain(*value);
}

// Which numbers were missing, and for what.
std::vector<std::string> absences(const Study& study) {
    std::map<std::string, std::set<std::string>> metrics;  // by the reason
    for (const PointResult& result : study.results)
        if (ran(result))
            for (const auto& [metric, reason] : result.run->absent)
                if (!metric.starts_with("quality.")) metrics[reason].insert(metric);
    std::vector<std::string> texts;
    for (const auto& [reason, of] : metrics) texts.push_back(fmt::format("No {}: {}.", fmt::join(of, ", "), reason));
    return texts;
}

// Of a metric that depends on a price: what the lowest and the highest of the lists would make of it.
Series range_of(const Group& group, const XAxis& x, const std::string& metric) {
    Series band{"lowest to highest list price", SeriesStyle::band, false, group.colour};
    for (const PointResult* point : group.results) {
        const auto at = x.position(*point), low = value_of(*point, metric + "_low"),
                   high = value_of(*point, metric + "_high");
        if (at && low && high) band.points.push_back({*at, *low, *high});
    }
    std::ranges::stable_sort(band.points, {}, &ChartPoint::x);
    return band;
}

std::optional<Chart> economics_chart(const Study& study, const XAxis& x, const std::string& name,
                                     const std::string& title, const std::string& metric, const std::string& label) {
    constexpr int kMostGroups = 6;
    Chart chart{.name = name, .title = title, .x = x.axis, .y = {.label = label}};
    const std::vector<Group> groups = groups_of(study, x);
    for (const Group& group : groups) {
        if (group.colour >= kMostGroups) continue;
        Series series{series_name(group, study), x.axis.categories.empty() ? SeriesStyle::line : SeriesStyle::bar,
                      group.engine != most_detailed_engine(study), group.colour};
        for (const PointResult* point : group.results)
            if (const auto at = x.position(*point), value = value_of(*point, metric); at && value)
                series.points.push_back({*at, *value});
        std::ranges::stable_sort(series.points, {}, &ChartPoint::x);
        if (!series.points.empty()) chart.series.push_back(std::move(series));
    }
    if (chart.series.empty()) return std::nullopt;
    if (groups.size() == 1 && chart.series.front().style == SeriesStyle::line)
        if (Series band = range_of(groups.front(), x, metric); band.points.size() > 1)
            chart.series.insert(chart.series.begin(), std::move(band));
    return chart;
}

std::string cheapest_text(const Study& study) {
    const std::string metric = "cost.usd_per_million_tokens";
    const PointResult* best = nullptr;
    for (const PointResult& result : study.results)
        if (const auto value = value_of(result, metric); value && (!best || *value < *value_of(*best, metric)))
            best = &result;
    if (!best) return "No point has a price: see the footnotes.";
    return fmt::format("Cheapest, at the prices that are typical or set: {} USD per million tokens ({}).",
                       plain(*value_of(*best, metric)), label_of(*best, study));
}

}  // namespace

std::optional<Section> economics_section(const Study& study) {
    Section section{.title = "Cost and energy", .paragraphs = {cheapest_text(study)}};
    Table table{.title = "Cost and energy of each point", .columns = {"point"}};
    const bool several_engines = several_engines_ran(study);
    if (several_engines) table.columns.push_back("engine");
    std::vector<Column> shown;
    for (const Column& column : columns())
        if (std::any_of(study.results.begin(), study.results.end(),
                        [&](const PointResult& result) { return value_of(result, column.metric).has_value(); }))
            shown.push_back(column);
    const std::vector<std::string> missing = absences(study);
    if (missing.empty() && std::none_of(shown.begin(), shown.end(), [](const Column& column) {
            return column.metric.starts_with("cost.") || column.metric.starts_with("energy.");
        }))
        return std::nullopt;
    for (const Column& column : shown) table.columns.push_back(column.head);
    for (const PointResult& result : study.results) {
        if (!ran(result)) continue;
        auto& row = table.rows.emplace_back(std::vector<std::string>{label_of(result, study)});
        if (several_engines) row.push_back(result.engine);
        for (const Column& column : shown) row.push_back(cell(result, column.metric));
    }
    table.folded = table.rows.size() > 24;
    section.tables = {std::move(table)};
    if (const auto x = x_axis_of(study))
        for (const auto& chart :
             {economics_chart(study, *x, "cost", "Cost of a million tokens", "cost.usd_per_million_tokens",
                              "USD per million tokens"),
              economics_chart(study, *x, "energy", "Energy of a token", "energy.joules_per_token", "J per token")})
            if (chart) section.charts.push_back(*chart);
    section.footnotes = missing;
    section.footnotes.push_back(
        "Tokens are output in decode and serving, input in prefill. Energy is of the accelerators' boards, by their "
        "published power and busy share, times PUE: docs/economics.md says how.");
    return section;
}

}  // namespace strata
