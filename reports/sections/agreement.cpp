#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

struct Pair {
    const PointResult *analytic, *systemc;
    double difference;  // of systemc's time, relative
};

// Results of a point stand next to each other, one an engine.
std::vector<Pair> pairs_of(const Study& study) {
    std::vector<Pair> pairs;
    const PointResult *analytic = nullptr, *systemc = nullptr;
    for (const PointResult& result : study.results) {
        if (analytic && analytic->settings != result.settings) analytic = nullptr;
        if (systemc && systemc->settings != result.settings) systemc = nullptr;
        if (!ran(result)) continue;
        (result.engine == "systemc" ? systemc : analytic) = &result;
        if (!analytic || !systemc) continue;
        pairs.push_back({analytic, systemc, time_ms(*systemc->run) / time_ms(*analytic->run) - 1});
        analytic = systemc = nullptr;
    }
    return pairs;
}

}  // namespace

std::optional<Section> agreement_section(const Study& study) {
    std::vector<Pair> pairs = pairs_of(study);
    if (pairs.empty()) return std::nullopt;
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return std::abs(a.difference) > std::abs(b.difference); });
    const double median = std::abs(pairs[pairs.size() / 2].difference);
    Section section{.title = "Do the engines agree?"};
    section.paragraphs = {fmt::format(
        "Both engines ran {} points. Half of them differ by at most {} in time, the most by {} ({}). The analytic "
        "engine runs every lane alone; SystemC adds queues and contention: where they differ, that is the finding.",
        pairs.size(), percent(median), percent(std::abs(pairs.front().difference)),
        label_of(*pairs.front().systemc, study))};
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
