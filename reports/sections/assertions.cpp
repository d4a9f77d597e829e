#include <fmt/format.h>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

std::optional<Section> assertions_section(const Study& study, const std::vector<Assertion>& assertions) {
    if (assertions.empty()) return std::nullopt;
    Section section{.title = "Assertions"};
    Table table{.title = "", .columns = {"assertion", "holds at", "first that fails"}};
    for (const Assertion& assertion : assertions) {
        int all = 0, holding = 0;
        std::string first;
        for (const PointResult& result : study.results) {
            if (!ran(result)) continue;
            ++all;
            const auto metric = result.run->metrics.find(assertion.metric);
            if (metric != result.run->metrics.end() && assertion.holds(metric->second))
                ++holding;
            else if (first.empty())
                first = label_of(result, study) +
                        (metric == result.run->metrics.end() ? ": has no such metric" : ": " + plain(metric->second));
        }
        table.rows.push_back(
            {assertion.text, fmt::format("{} of {} results", holding, all), first.empty() ? "none" : first});
    }
    section.tables = {table};
    return section;
}

}  // namespace strata
