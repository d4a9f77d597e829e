#include <fmt/format.h>

#include <algorithm>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// Ranks are alike: of those that an engine models one by one the first is shown.
bool is_shown(const std::string& name) {
    return name.find(".gpu") == std::string::npos || name.find(".gpu0.") != std::string::npos;
}

}  // namespace

// Parts of the machine at the recommended point, by each engine that ran it.
std::optional<Section> resources_section(const Study& study, const Recommendation& chosen) {
    if (!chosen.point) return std::nullopt;
    Section section{.title = "How busy each part is"};
    for (const PointResult& result : study.results) {
        if (!ran(result) || result.settings != chosen.point->settings || result.run->resources.empty()) continue;
        Table table{.title = fmt::format("At the recommended point, by the {} engine", result.engine),
                    .columns = {"part", "busy", "moved in a step [GB]"}};
        for (const ResourceUse& use : result.run->resources)
            if (is_shown(use.name) && use.busy > 0)
                table.rows.push_back(
                    {use.name, percent(use.busy), use.bytes > Bytes(0) ? plain(to_GB(use.bytes)) : "-"});
        section.tables.push_back(std::move(table));
    }
    if (section.tables.empty()) return std::nullopt;
    section.footnotes = {
        "Busy: the time that what is moved or computed takes at the part's own rate, over the step. A memory that is "
        "60 "
        "% busy can bind all the same: no kernel reaches the datasheet's rate."};
    return section;
}

}  // namespace strata
