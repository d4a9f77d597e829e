#include "reports/sections/stacked_bars.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kMostStacks = 24;

std::vector<const PointResult*> ran_of(const Study& study) {
    std::vector<const PointResult*> all;
    for (const PointResult& result : study.results)
        if (ran(result) && all.size() < kMostStacks) all.push_back(&result);
    return all;
}

}  // namespace

Chart stacked_chart(const Study& study, const std::string& name, const std::string& title, const std::string& label,
                    const std::vector<StackedPart>& parts) {
    Chart chart{.name = name, .title = title, .x = {.label = ""}, .y = {.label = label}};
    const std::vector<const PointResult*> points = ran_of(study);
    for (const PointResult* point : points) chart.x.categories.push_back(label_of(*point, study));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Series series{.name = parts[i].name, .style = SeriesStyle::stacked, .colour = static_cast<int>(i)};
        double most = 0;
        for (std::size_t at = 0; at < points.size(); ++at) {
            const auto found = points[at]->run->metrics.find(parts[i].metric);
            const double value = found == points[at]->run->metrics.end() ? 0 : found->second * parts[i].scale;
            series.points.push_back({double(at), value});
            most = std::max(most, value);
        }
        if (most > 0) chart.series.push_back(std::move(series));
    }
    return chart;
}

std::string origins_of(const Run& run) {
    std::string text;
    for (const auto& [origin, share] : run.share_of_compute)
        text += fmt::format("{}{:.0f} % {}", text.empty() ? "" : ", ", 100 * share, origin);
    return text;
}

Section metrics_points_section(const Study& study, const std::vector<AccessColumn>& columns) {
    Section section{.title = "All points"};
    Table table{.title = "Results", .columns = {}};
    for (const auto& setting : study.results.front().settings) table.columns.push_back(short_name(setting.first));
    for (const AccessColumn& column : columns) table.columns.push_back(column.head);
    for (const PointResult& result : study.results) {
        auto& row = table.rows.emplace_back();
        for (const auto& setting : result.settings) row.push_back(setting.second);
        for (const AccessColumn& column : columns) row.push_back(ran(result) ? cell(*result.run, column) : "-");
        if (!ran(result)) section.footnotes.push_back(fmt::format("{}: {}", to_string(result.status), result.reason));
    }
    section.tables = {std::move(table)};
    return section;
}

}  // namespace strata
