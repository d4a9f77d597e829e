#include <fmt/format.h>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

std::optional<Section> balance_section(const Study& study, const std::string& engine) {
    const auto routed = [&](const PointResult& point) {
        return ran(point) && point.engine == engine && point.run->metrics.count("moe.load_max_over_mean") > 0;
    };
    Table table{.title = "Balance of the expert group",
                .columns = {"point", "busiest rank over the mean", "longer than the mean rank [ms a step]",
                            "ranks of a token", "nodes of a token"}};
    for (const PointResult& point : study.results) {
        if (!routed(point)) continue;
        const auto& metrics = point.run->metrics;
        table.rows.push_back({label_of(point, study), fmt::format("{:.2f}", metrics.at("moe.load_max_over_mean")),
                              plain(metrics.at("moe.straggler_ms")),
                              fmt::format("{:.2f}", metrics.at("moe.ranks_per_token")),
                              fmt::format("{:.2f}", metrics.at("moe.nodes_per_token"))});
    }
    if (table.rows.empty()) return std::nullopt;
    Section section{.title = "Balance of experts"};
    section.paragraphs = {
        "In every layer all ranks of the expert group wait for the one with most (token, expert) pairs. The load is "
        "the "
        "mean over layers of its pairs over an even share; the time is what its experts take longer than those of the "
        "mean rank, summed over the step; in serving both are means over the steps that were taken. Distinct ranks and "
        "nodes of a token's experts set what is sent."};
    const auto x = x_axis_of(study);
    if (x) {
        Chart chart{
            .name = "balance", .title = "Load of the busiest rank", .x = x->axis, .y = {"pairs over an even share"}};
        for (const Group& group : groups_of(study, x)) {
            if (group.engine != engine || group.colour >= 6) continue;
            Series series{group.settings.empty() ? "busiest rank" : group.settings,
                          x->axis.categories.empty() ? SeriesStyle::line : SeriesStyle::bar, false, group.colour};
            for (const PointResult* point : group.results)
                if (const auto at = x->position(*point); at && routed(*point))
                    series.points.push_back({*at, point->run->metrics.at("moe.load_max_over_mean")});
            if (!series.points.empty()) chart.series.push_back(series);
        }
        section.charts = {chart};
    }
    section.tables = {table};
    return section;
}

}  // namespace strata
