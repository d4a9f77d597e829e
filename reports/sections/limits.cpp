#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

// Names, for every engine, the lane that was busy longest (the one worth making faster), and how busy all were.
std::optional<Section> limits_section(const Study& study, const Recommendation& chosen) {
    const std::vector<std::string> engines = engines_that_ran(study);
    if (engines.empty()) return std::nullopt;
    Section section{.title = "What limits each point"};
    std::map<std::string, int> bound;
    Table busy{.title = "Busy share of the step by lane, at the recommended point and over all", .columns = {"lane"}};
    for (const std::string& engine : engines) {
        busy.columns.push_back("recommended, " + engine);
        busy.columns.push_back("lowest to highest, " + engine);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        std::vector<std::string> row{std::string(kLaneNames[lane])};
        double ever = 0;
        for (const std::string& engine : engines) {
            double low = 1, high = 0;
            std::string here = "-";
            for (const PointResult& result : study.results) {
                if (!ran(result) || result.engine != engine) continue;
                low = std::min(low, result.run->utilisation[lane]);
                high = std::max(high, result.run->utilisation[lane]);
                if (chosen.point && result.settings == chosen.point->settings)
                    here = percent(result.run->utilisation[lane]);
            }
            row.push_back(here);
            row.push_back(percent(low) + " to " + percent(high));
            ever = std::max(ever, high);
        }
        if (ever > 0) busy.rows.push_back(row);
    }
    int all = 0;
    for (const PointResult& result : study.results)
        if (ran(result) && result.engine == chosen.engine) ++bound[result.run->bottleneck], ++all;
    std::string text;
    for (const auto& [lane, count] : bound)
        text += fmt::format("{}{} of {} by {}", text.empty() ? "" : ", ", count, all, lane);
    section.paragraphs = {fmt::format("Points bound, by the {} engine: {}.", chosen.engine, text)};
    section.tables = {busy};
    section.footnotes = {
        "The lane \"compute\" is the accelerator itself. A point whose busiest lane it is counts as bound by what "
        "binds "
        "most of that time: memory (bytes), arithmetic (FLOPs) or kernel launch."};
    return section;
}

}  // namespace strata
