#include <fmt/format.h>

#include "reports/sections/sections.hpp"
#include "reports/sections/stacked_bars.hpp"
#include "reports/study_view.hpp"
#include "reports/training_view.hpp"

namespace strata {

namespace {

const PointResult* fastest_training(const Study& study) {
    const PointResult* best = nullptr;
    const auto tokens = [](const PointResult& result) {
        const auto& metrics = result.run->metrics;
        const auto useful = metrics.find("goodput.tokens_per_day");
        return useful == metrics.end() ? metrics.at("training.tokens_per_day") : useful->second;
    };
    for (const PointResult& result : study.results)
        if (ran(result) && (!best || tokens(result) > tokens(*best))) best = &result;
    return best;
}

std::string long_run(const std::map<std::string, double>& metrics) {
    return fmt::format(
        "Failures come every {:.2f} h on average and leave {:.1f} % of the time as progress, {:.1f} billion tokens a "
        "day: {:.1f} % is done again, {:.1f} % goes to checkpoints (one after {:.0f} s of work, {:.1f} s each), "
        "{:.1f} % to detection and restarts, {:.1f} % to waiting for repairs.",
        metrics.at("goodput.mtbf_h"), 100 * metrics.at("goodput.effective_share"),
        metrics.at("goodput.tokens_per_day") * 1e-9, 100 * metrics.at("goodput.lost_share"),
        100 * metrics.at("goodput.checkpoint_share"), metrics.at("goodput.checkpoint_interval_s"),
        metrics.at("goodput.checkpoint_pause_s"), 100 * metrics.at("goodput.restart_share"),
        100 * metrics.at("goodput.waiting_share"));
}

}  // namespace

Section training_summary_section(const Study& study) {
    Section section{.title = "Where a step's time goes"};
    const PointResult* best = fastest_training(study);
    const auto& metrics = best->run->metrics;
    const std::string at = label_of(*best, study);
    section.paragraphs = {fmt::format(
        "Most tokens a day come at {}: a step takes {:.2f} s, {:.1f} billion tokens a day, {:.1f} % of the BF16 peak "
        "({:.1f} % with causal attention alone counted). {:.1f} % of it a device waits for others, {:.1f} % its "
        "kernels "
        "wait for exchanges.",
        at, metrics.at("training.step_s"), metrics.at("training.tokens_per_day") * 1e-9,
        100 * metrics.at("training.mfu"), 100 * metrics.at("training.mfu_causal"),
        100 * metrics.at("training.bubble_share"), 100 * metrics.at("training.exposed_communication_share"))};
    section.charts = {
        stacked_chart(study, "step", "Parts of a step, mean over the pipeline", "time [s]", step_parts()),
        stacked_chart(study, "training-memory", "Memory of the fullest rank", "HBM [GB]", memory_parts())};
    if (metrics.count("goodput.effective_share")) {
        section.paragraphs.push_back(long_run(metrics));
        section.charts.push_back(stacked_chart(study, "goodput", "Of a long run", "share of time [%]", run_parts()));
    }
    section.footnotes = {fmt::format("How the time of kernels is known, at {}: {}.", at, origins_of(*best->run)),
                         "docs/metrics.md defines each word. Backward kernels that nobody has measured have the "
                         "efficiency of the forward "
                         "ones and count as assumed."};
    return section;
}

Section training_points_section(const Study& study) { return metrics_points_section(study, training_columns(study)); }

}  // namespace strata
