#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

std::string gain(double ratio) {
    return fmt::format("{:.1f} % {}", std::abs(ratio - 1) * 100, ratio >= 1 ? "higher" : "lower");
}

// The lowest loss costs speed: how much, so that the reader can choose otherwise.
std::string price_of_quality(const ReportInput& input, const Recommendation& chosen) {
    if (!chosen.lowest_loss) return {};
    const auto loss = loss_of(*chosen.lowest_loss, input.law, input.model);
    std::string text = fmt::format("The lowest expected loss, {:.4f}, stands at {}", loss->loss,
                                   label_of(*chosen.lowest_loss, input.study));
    if (chosen.lowest_loss == chosen.point) return text + ": the same point.";
    const auto own = loss_of(*chosen.point, input.law, input.model);
    return text + fmt::format(
                      ": throughput there is {} than recommended, for {:.4f} less loss. The loss at the "
                      "recommended point is {} and may be anywhere in {:.4f} to {:.4f}, so a team that cannot "
                      "afford that risk builds the lowest-loss point.",
                      gain(tokens_per_s(*chosen.lowest_loss->run) / tokens_per_s(*chosen.point->run)),
                      own->loss - loss->loss, to_string(own->origin), own->low, own->high);
}

// Against the model without tables, all else equal: what Engram buys.
std::string against_all_experts(const ReportInput& input, const Recommendation& chosen) {
    if (!chosen.by_loss) return {};
    const std::string rest = label_of(*chosen.point, input.study, kRhoPath);
    for (const PointResult& other : input.study.results) {
        if (!ran(other) || other.engine != chosen.engine || number_setting(other, kRhoPath) != 1.0 ||
            label_of(other, input.study, kRhoPath) != rest)
            continue;
        const auto loss = loss_of(other, input.law, input.model), own = loss_of(*chosen.point, input.law, input.model);
        if (!loss) return {};
        return fmt::format("Against all sparse parameters in experts (rho 1): throughput {}, expected loss {:+.4f}.",
                           gain(tokens_per_s(*chosen.point->run) / tokens_per_s(*other.run)), own->loss - loss->loss);
    }
    return {};
}

std::string limit(const Recommendation& chosen) {
    const Run& run = *chosen.point->run;
    const double busy = *std::max_element(run.utilisation.begin(), run.utilisation.end());
    std::string text = fmt::format("It is bound by {} ({} busy)", run.bottleneck, percent(busy));
    if (const auto stall = run.metrics.find("engram.stall_ms"); stall != run.metrics.end())
        text += stall->second > 0 ? fmt::format("; waiting for Engram rows takes {} ms of {} ms", plain(stall->second),
                                                plain(time_ms(run)))
                                  : "; no time is lost waiting for Engram rows";
    if (const auto swaps = run.metrics.find("engram.swap_share"); swaps != run.metrics.end() && swaps->second > 0)
        text += fmt::format("; {} of the time waits for another domain's tables", percent(swaps->second));
    return text + fmt::format(". It fills {} GB of each accelerator's memory.", plain(run.metrics.at("memory.hbm_gb")));
}

// The best eligible point of each other combination: how little or much the other settings matter.
Table alternatives(const ReportInput& input, const Recommendation& chosen, const std::string& x_path) {
    std::map<std::string, const PointResult*> best;
    for (const PointResult* point : chosen.choices) {
        const PointResult*& known = best[label_of(*point, input.study, x_path)];
        if (!known || tokens_per_s(*point->run) > tokens_per_s(*known->run)) known = point;
    }
    std::vector<const PointResult*> order;
    for (const auto& entry : best) order.push_back(entry.second);
    std::sort(order.begin(), order.end(),
              [](const auto* a, const auto* b) { return tokens_per_s(*a->run) > tokens_per_s(*b->run); });
    Table table{.title = "The best qualifying point of each combination",
                .columns = {"point", "tokens/s per accelerator", "against the recommended",
                            speed_names(*chosen.point->run).time_label, "expected loss"}};
    const std::vector<TierColumn> tiers = tier_columns(input.study);
    for (const TierColumn& tier : tiers) table.columns.push_back(tier.name + " [GB]");
    for (const PointResult* point : order) {
        const auto loss = loss_of(*point, input.law, input.model);
        const auto& metrics = point->run->metrics;
        table.rows.push_back(
            {label_of(*point, input.study), plain(tokens_per_s(*point->run)),
             fmt::format("{:+.2f} %", (tokens_per_s(*point->run) / tokens_per_s(*chosen.point->run) - 1) * 100),
             plain(time_ms(*point->run)), loss ? fmt::format("{:.4f}", loss->loss) : "unknown"});
        for (const TierColumn& tier : tiers) table.rows.back().push_back(plain(metrics.at(tier.metric)));
    }
    if (chosen.by_loss) return table;
    table.columns.erase(table.columns.begin() + 4);
    for (auto& row : table.rows) row.erase(row.begin() + 4);
    return table;
}

// Quality against speed, the choice itself: right and down is better.
Chart trade_off(const ReportInput& input, const Recommendation& chosen) {
    Chart chart{.name = "trade-off",
                .title = "Quality against speed",
                .x = {"tokens/s per accelerator (" + chosen.engine + ")"},
                .y = {"expected loss [nats/token]"}};
    for (const Group& group : groups_of(input.study, x_axis_of(input.study))) {
        if (group.engine != chosen.engine) continue;
        Series series{group.settings.empty() ? "points" : group.settings, SeriesStyle::markers, false, group.colour};
        for (const PointResult* point : group.results)
            if (const auto loss = loss_of(*point, input.law, input.model); loss && ran(*point))
                series.points.push_back({tokens_per_s(*point->run), loss->loss});
        if (!series.points.empty()) chart.series.push_back(series);
    }
    chart.annotations = {{fmt::format("recommended: rho {}", *setting(*chosen.point, kRhoPath)),
                          tokens_per_s(*chosen.point->run), loss_of(*chosen.point, input.law, input.model)->loss}};
    return chart;
}

}  // namespace

Section verdict_section(const ReportInput& input, const Recommendation& chosen) {
    Section section{.title = "Verdict"};
    const std::string text = recommended_text(chosen, input.study, input.law, input.model);
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
        end = text.find('\n', begin);
        section.paragraphs.push_back(text.substr(begin, end - begin));
    }
    if (!chosen.point) return section;
    for (const std::string& reason :
         {limit(chosen), price_of_quality(input, chosen), against_all_experts(input, chosen)})
        if (!reason.empty()) section.paragraphs.push_back(reason);
    section.paragraphs.push_back(
        "How far predictions of this kind are from published results is what \"strata validate\" shows: trust "
        "differences "
        "between points before absolute times.");
    const auto x = x_axis_of(input.study);
    if (chosen.choices.size() > 1) section.tables = {alternatives(input, chosen, chosen.by_loss ? kRhoPath : x->path)};
    if (chosen.by_loss) section.charts = {trade_off(input, chosen)};
    return section;
}

}  // namespace strata
