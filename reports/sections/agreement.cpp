#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

std::optional<Section> agreement_section(const Study& study) {
    std::vector<EnginePair> pairs = engine_pairs(study);
    if (pairs.empty()) return std::nullopt;
    std::stable_sort(pairs.begin(), pairs.end(), [](const EnginePair& a, const EnginePair& b) {
        return std::abs(a.difference) > std::abs(b.difference);
    });
    const double median = std::abs(pairs[pairs.size() / 2].difference);
    Section section{.title = "Do the engines agree?"};
    section.paragraphs = {fmt::format(
        "Both engines ran {} points. Half of them differ by at most {} in time, the most by {} ({}). The analytic "
        "engine runs every lane alone; SystemC adds queues and contention: where they differ, that is the finding.",
        pairs.size(), percent(median), percent(std::abs(pairs.front().difference)),
        label_of(*pairs.front().systemc, study))};
    if (std::abs(pairs.front().difference) < kEnginesAgree) return section;
    constexpr std::size_t kShown = 8;
    Table table{.title = "Largest differences",
                .columns = {"point", "analytic [ms]", "systemc [ms]", "difference", "bound by (analytic)",
                            "bound by (systemc)"}};
    for (std::size_t i = 0; i < std::min(kShown, pairs.size()); ++i)
        table.rows.push_back({label_of(*pairs[i].systemc, study), plain(time_ms(*pairs[i].analytic->run)),
                              plain(time_ms(*pairs[i].systemc->run)),
                              fmt::format("{:+.2f} %", pairs[i].difference * 100), pairs[i].analytic->run->bottleneck,
                              pairs[i].systemc->run->bottleneck});
    section.tables = {table};
    return section;
}

}  // namespace strata
