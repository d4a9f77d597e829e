#include <fmt/format.h>

#include <set>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// Of the chain that sets the step's length: what nobody measured and nobody published.
Table assumed_times(const Run& run) {
    Table table{.title = "On the critical path of the recommended point",
                .columns = {"what", "how it is known", "time [ms]", "of the step"}};
    for (const PathTime& time : run.path->times)
        if (time.origin == "assumed" || time.origin == "modelled")
            table.rows.push_back({time.family, time.origin, plain(time.ms), percent(time.ms / run.path->total_ms())});
    return table;
}

// Which numbers are missing, and what cannot be said for that.
std::set<std::string> missing_numbers(const Study& study) {
    std::set<std::string> missing;
    for (const PointResult& result : study.results)
        if (result.run)
            for (const auto& [metric, number] : result.run->absent)
                missing.insert(fmt::format("No {}: {}", metric, number));
    return missing;
}

}  // namespace

std::optional<Section> assumptions_section(const ReportInput& input, const Recommendation& chosen) {
    Section section{.title = "What is assumed"};
    if (chosen.point && chosen.point->run && chosen.point->run->path) {
        const Run& run = *chosen.point->run;
        Table times = assumed_times(run);
        double share = 0;
        for (const PathTime& time : run.path->times)
            if (time.origin == "assumed") share += time.ms / run.path->total_ms();
        section.paragraphs.push_back(
            share > 0 ? fmt::format("{} of the step's length rests on times that are our assumption.", percent(share))
                      : "No part of the step's length rests on a time that is our assumption.");
        if (!times.rows.empty()) section.tables = {std::move(times)};
    }
    for (const std::string& override_ : input.manifest.overrides)
        if (override_.rfind("platform", 0) == 0)
            section.footnotes.push_back(fmt::format("Set by hand, so assumed: {}.", override_));
    for (const std::string& sentence : missing_numbers(input.study)) section.footnotes.push_back(sentence);
    if (section.paragraphs.empty() && section.footnotes.empty()) return std::nullopt;
    section.footnotes.push_back("Numbers of the catalogue that are assumed stand below \"Hardware numbers\".");
    return section;
}

}  // namespace strata
