#include <fmt/format.h>

#include <algorithm>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

std::optional<Section> memory_section(const Study& study, const Recommendation& chosen) {
    if (chosen.engine.empty()) return std::nullopt;
    const auto x = x_axis_of(study);
    Section section{.title = "Memory by tier"};
    struct Column {
        std::string head, metric;
    };
    std::vector<Column> tiers;
    for (const TierColumn& tier : tier_columns(study))
        tiers.push_back({fmt::format("{} of {} [GB]", tier.name, tier.of), tier.metric});
    const std::vector<Column> classes{{"weights", "memory.weights_gb"}, {"experts", "memory.experts_gb"},
                                      {"KV", "memory.kv_gb"},           {"index keys", "memory.index_gb"},
                                      {"Engram", "memory.engram_gb"},   {"activations", "memory.activations_gb"},
                                      {"buffers", "memory.buffers_gb"}};
    const auto range = [](const Group& group, const std::string& metric) {
        double low = 1e300, high = -1e300;
        for (const PointResult* point : group.results)
            if (ran(*point)) {
                low = std::min(low, point->run->metrics.at(metric));
                high = std::max(high, point->run->metrics.at(metric));
            }
        return low > high ? "-" : low == high ? plain(low) : plain(low) + " to " + plain(high);
    };
    const auto table_of = [](const std::string& title, const std::vector<Column>& columns) {
        Table table{.title = title, .columns = {"combination"}};
        for (const Column& column : columns) table.columns.push_back(column.head);
        return table;
    };
    Table by_tier = table_of("Range over the points", tiers);
    Table by_class = table_of("HBM of an accelerator by what fills it [GB]", classes);
    const auto add = [&](Table& table, const Group& group, const std::vector<Column>& columns) {
        table.rows.push_back({group.settings.empty() ? "all" : group.settings});
        for (const Column& column : columns) table.rows.back().push_back(range(group, column.metric));
    };
    Chart chart{.name = "memory", .title = "Memory of an accelerator", .x = {""}, .y = {"HBM in use [GB]"}};
    for (const Group& group : groups_of(study, x)) {
        if (group.engine != chosen.engine) continue;  // what lies where does not depend on the engine
        add(by_tier, group, tiers);
        add(by_class, group, classes);
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
        "One rank's HBM holds weights, experts, KV entries, index keys, Engram rows, the activations of its largest "
        "layer and buffers (of exchanges, and of what comes from a tier below); tables in a tier below are held once a "
        "node."};
    section.tables = {by_tier, by_class};
    return section;
}

}  // namespace strata
