#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

std::string signed_percent(double share) { return fmt::format("{:+.2f} %", 100 * share); }

std::string text_of(const PointResult& result, const Study& study) {
    const Binding& binding = *result.binding;
    const std::string point = label_of(result, study), metric = binding.metric;
    if (binding.nothing_to_gain())
        return fmt::format("Nothing to gain at {}: no resource of its platform changes {}.", point, metric);
    const Gain& best = binding.gains.front();
    std::string text = fmt::format("What binds at {}: {}. {:.4g} % more of it gains {} of {}.", point, best.resource,
                                   100 * binding.by, signed_percent(best.gain), metric);
    if (!binding.pairs.empty())
        text += fmt::format(" No single resource gains a percent; the best two at once, {}, gain {}.",
                            binding.pairs.front().resource, signed_percent(binding.pairs.front().gain));
    return text;
}

Table gains_table(const PointResult& result) {
    Table table{.title = fmt::format("Each resource {:.4g} % better, one at a time", 100 * result.binding->by),
                .columns = {"resource", "gain", "elasticity", "to repeat it, set"}};
    for (const auto* gains : {&result.binding->gains, &result.binding->pairs})
        for (const Gain& gain : *gains) {
            std::string set;
            for (const auto& [path, value] : gain.settings)
                set += fmt::format("{}{}={}", set.empty() ? "" : ", ", path, value);
            table.rows.push_back({gain.resource, gain.obstacle.empty() ? signed_percent(gain.gain) : gain.obstacle,
                                  fmt::format("{:.3f}", gain.elasticity), set});
        }
    return table;
}

// First and second of every point.
Table points_table(const Study& study) {
    Table table{.title = "Every point", .columns = {"point", "engine", "binds", "gain", "next", "gain"}};
    for (const PointResult& result : study.results) {
        if (!result.binding) continue;
        auto& row = table.rows.emplace_back(std::vector<std::string>{label_of(result, study), result.engine});
        for (std::size_t i = 0; i < 2; ++i) {
            const bool any = i < result.binding->gains.size() && result.binding->gains[i].gain > kNoGain;
            row.push_back(any ? result.binding->gains[i].resource : "nothing");
            row.push_back(any ? signed_percent(result.binding->gains[i].gain) : "-");
        }
    }
    table.folded = table.rows.size() > 24;
    return table;
}

Chart gains_chart(const PointResult& result) {
    Chart chart{.name = "binds",
                .title = fmt::format("Gain of {} per resource", result.binding->metric),
                .x = {.label = ""},
                .y = {.label = fmt::format("gain of {:.4g} % more [%]", 100 * result.binding->by)}};
    Series series{.name = "gain", .style = SeriesStyle::bar};
    for (const Gain& gain : result.binding->gains) {
        if (std::abs(gain.gain) <= kNoGain) continue;
        series.points.push_back({double(chart.x.categories.size()), 100 * gain.gain});
        chart.x.categories.push_back(gain.resource);
    }
    chart.series = {std::move(series)};
    return chart;
}

}  // namespace

std::optional<Section> binding_section(const Study& study, const PointResult* chosen) {
    const auto asked = [](const PointResult& result) { return result.binding.has_value(); };
    if (!chosen || !chosen->binding) {
        const auto any = std::find_if(study.results.begin(), study.results.end(), asked);
        if (any == study.results.end()) return std::nullopt;
        chosen = &*any;
    }
    Section section{.title = "What binds", .paragraphs = {text_of(*chosen, study)}};
    if (!chosen->binding->nothing_to_gain()) section.charts = {gains_chart(*chosen)};
    section.tables = {gains_table(*chosen)};
    if (std::count_if(study.results.begin(), study.results.end(), asked) > 1)
        section.tables.push_back(points_table(study));
    section.footnotes = {
        "Each row is the point run again with these fields set. Where they are peaks, bandwidth or cores of the "
        "accelerator it is another device, which nothing was measured on, and is held against the same device with "
        "the numbers as they are. Elasticity: percent gained per percent of the resource."};
    for (const std::string& name : chosen->binding->unknown)
        section.footnotes.push_back(fmt::format("Not tried: {}, a number of it is null.", name));
    return section;
}

}  // namespace strata
