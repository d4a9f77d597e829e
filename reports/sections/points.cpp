#include <fmt/format.h>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

std::optional<Section> points_section(const Study& study, const AllocationLaw& law, const std::string& model) {
    constexpr std::size_t kMostRows = 500;  // a page with more is no longer read; results.csv has all
    Section section{.title = "All results"};
    const PointResult* any = nullptr;
    bool losses = false;
    for (const PointResult& result : study.results) {
        if (ran(result) && !any) any = &result;
        losses = losses || loss_of(result, law, model);
    }
    Table table{.title = fmt::format("{} results", study.results.size()),
                .columns = {"point", "engine", any ? speed_names(*any->run).time_label : "time",
                            "tokens/s per accelerator", "Engram stall [ms]"},
                .folded = study.results.size() > 12};
    const std::vector<TierColumn> tiers = tier_columns(study);
    for (const TierColumn& tier : tiers) table.columns.push_back(tier.name + " [GB]");
    table.columns.push_back("bound by");
    if (losses) table.columns.insert(table.columns.begin() + 2, "expected loss");
    Table missing{.title = "Points without a result", .columns = {"point", "engine", "status", "reason"}};
    for (const PointResult& result : study.results) {
        if (!ran(result)) {
            if (missing.rows.size() < kMostRows)
                missing.rows.push_back(
                    {label_of(result, study), result.engine, std::string(to_string(result.status)), result.reason});
            continue;
        }
        if (table.rows.size() == kMostRows) continue;
        const auto& metrics = result.run->metrics;
        table.rows.push_back({label_of(result, study), result.engine, plain(time_ms(*result.run)),
                              plain(tokens_per_s(*result.run)), plain(metrics.at("engram.stall_ms"))});
        for (const TierColumn& tier : tiers) table.rows.back().push_back(plain(metrics.at(tier.metric)));
        table.rows.back().push_back(result.run->bottleneck);
        if (!losses) continue;
        const auto loss = loss_of(result, law, model);
        table.rows.back().insert(table.rows.back().begin() + 2, loss ? fmt::format("{:.4f}", loss->loss) : "unknown");
    }
    section.tables = {table};
    if (!missing.rows.empty()) section.tables.push_back(missing);
    if (table.rows.size() == kMostRows)
        section.footnotes = {fmt::format("The first {} of {}; results.csv has all.", kMostRows, study.results.size())};
    return section;
}

}  // namespace strata
