#include <fmt/format.h>

#include "reports/rl_view.hpp"
#include "reports/sections/sections.hpp"
#include "reports/sections/stacked_bars.hpp"
#include "reports/study_view.hpp"

namespace strata {

Section rl_summary_section(const Study& study) {
    const PointResult* best = nullptr;
    for (const PointResult& result : study.results)
        if (ran(result) &&
            (!best || result.run->metrics.at("rl.answers_per_s") > best->run->metrics.at("rl.answers_per_s")))
            best = &result;
    const auto& metrics = best->run->metrics;
    const std::string at = label_of(*best, study);
    Section section{.title = "Where an iteration's time goes"};
    section.paragraphs = {fmt::format(
        "Most answers come at {}: {:.2f} a second, an iteration of {:.1f} M tokens in {:.0f} s. {:.0f} s of it are "
        "rolled out, the last {:.0f} s of them for the last tenth of the answers, with {:.0f} % of the servers' time "
        "busy; the update takes {:.0f} s. What takes longest is the {}.",
        at, metrics.at("rl.answers_per_s"), metrics.at("rl.tokens") * 1e-6, metrics.at("rl.iteration_s"),
        metrics.at("rl.rollout_s"), metrics.at("rl.tail_s"), 100 * metrics.at("rl.rollout_utilisation"),
        metrics.at("rl.update_s"), best->run->bottleneck)};
    section.charts = {stacked_chart(study, "iteration", "Parts of an iteration", "time [s]", iteration_parts())};
    section.footnotes = {fmt::format("How the time of kernels is known, at {}: {}.", at, origins_of(*best->run)),
                         "Where answers are rolled out ahead, an iteration takes the longer of rollout and all else, "
                         "not their sum."};
    return section;
}

Section rl_points_section(const Study& study) { return metrics_points_section(study, rl_columns()); }

}  // namespace strata
