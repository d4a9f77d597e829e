#include <fmt/format.h>

#include <algorithm>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

std::optional<Section> memory_section(const Study& study, const Recommendation& chosen) {
    if (chosen.engine.empty()) return std::nullopt;
    const auto x = x_axis_of(study);
    Section section{.title = "Memory by tier"};
    Table table{.title = "Range over the points",
                .columns = {"combination", "HBM of an accelerator [GB]", "host of a node [GB]", "NVMe of a node [GB]"}};
    const auto range = [](const Group& group, const char* metric) {
        double low = 1e300, high = -1e300;
        for (const PointResult* point : group.results)
            if (ran(*point)) {
                low = std::min(low, point->run->metrics.at(metric));
                high = std::max(high, point->run->metrics.at(metric));
            }
        return low > high ? "-" : low == high ? plain(low) : plain(low) + " to " + plain(high);
    };
    Chart chart{.name = "memory", .title = "Memory of an accelerator", .x = {""}, .y = {"HBM in use [GB]"}};
    for (const Group& group : groups_of(study, x)) {
        if (group.engine != chosen.engine) continue;  // what lies where does not depend on the engine
        table.rows.push_back({group.settings.empty() ? "all" : group.settings, range(group, "memory.hbm_gb"),
                              range(group, "memory.host_gb"), range(group, "memory.nvme_gb")});
        if (!x || group.colour >= 6) continue;
        Series series{group.settings.empty() ? "HBM" : group.settings,
                      x->axis.categories.empty() ? SeriesStyle::line : SeriesStyle::bar, false, group.colour};
        for (const PointResult* point : group.results)
            if (const auto at = x->position(*point); at && ran(*point))
                series.points.push_back({*at, point->run->metrics.at("memory.hbm_gb")});
        if (!series.points.empty()) chart.series.push_back(series);
    }
    if (x) {
        chart.x = x->axis;
        section.charts = {chart};
    }
    section.paragraphs = {
        "Weights, experts, KV cache and Engram rows of one rank in its HBM; tables in host memory or on "
        "drives are held once a node."};
    section.tables = {table};
    return section;
}

}  // namespace strata
