#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr const char *kGain = "quality.residual_gain", *kLoss = "quality.precision_loss_percent";

std::string cell(const Run& run, const std::string& metric) {
    const auto value = run.metrics.find(metric);
    if (value == run.metrics.end()) return "unknown";
    const auto low = run.metrics.find(metric + "_low"), high = run.metrics.find(metric + "_high");
    if (low == run.metrics.end() || high == run.metrics.end() || low->second == high->second)
        return fmt::format("{:.3g}", value->second);
    return fmt::format("{:.3g} ({:.3g} to {:.3g})", value->second, low->second, high->second);
}

// What the point costs: a token a second of one accelerator, whatever the kind of step.
std::string speed_cell(const Run& run) {
    for (const char* kind : {"decode", "prefill", "training"})
        if (const auto found = run.metrics.find(fmt::format("{}.tokens_per_s_per_accelerator", kind));
            found != run.metrics.end())
            return plain(found->second);
    return "-";
}

}  // namespace

std::optional<Section> quality_section(const Study& study) {
    Table table{.title = "Quality and speed of each point",
                .columns = {"point", "tokens/s of an accelerator", "residual gain", "loss by precision [%]"}};
    std::set<std::string> unknown;
    bool known = false;
    for (const PointResult& result : study.results) {
        // Laws hang on the model, not on the engine: one row a point.
        if (!ran(result) || result.engine != most_detailed_engine(study)) continue;
        const Run& run = *result.run;
        known = known || run.metrics.contains(kGain) || run.metrics.contains(kLoss);
        for (const auto& [metric, reason] : run.absent)
            if (metric.starts_with("quality.")) unknown.insert(fmt::format("No {}: {}.", metric, reason));
        table.rows.push_back({label_of(result, study), speed_cell(run), cell(run, kGain), cell(run, kLoss)});
    }
    if (!known && unknown.empty()) return std::nullopt;
    table.folded = table.rows.size() > 24;
    Section section{
        .title = "Quality beside cost",
        .paragraphs = {"Residual gain: how far a signal or a gradient can grow over depth by the mixing of "
                       "residual streams alone, 1 for a plain residual. Loss by precision: what training in "
                       "these formats adds to the loss, relative to BF16. Both are modelled; in brackets "
                       "their band."},
        .tables = {std::move(table)}};
    section.footnotes.assign(unknown.begin(), unknown.end());
    section.footnotes.push_back("docs/quality.md has each law, what it was calibrated on and how far it reaches.");
    return section;
}

}  // namespace strata
