#include "app/cli/study_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/access_view.hpp"
#include "reports/collective_view.hpp"
#include "reports/recommendation.hpp"
#include "reports/rl_view.hpp"
#include "reports/serving_view.hpp"
#include "reports/study_view.hpp"
#include "reports/training_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kWidth = 120;

// The results of one point, one an engine.
using PointRow = std::vector<const PointResult*>;

std::vector<PointRow> rows_of(const Study& study) {
    std::vector<PointRow> rows;
    for (const PointResult& result : study.results) {
        const bool same = !rows.empty() && rows.back().front()->settings == result.settings &&
                          rows.back().back()->engine != result.engine;
        if (!same) rows.emplace_back();
        rows.back().push_back(&result);
    }
    return rows;
}

// Numbers stand right, words left; a column is as wide as its widest cell.
std::string aligned(const std::vector<std::vector<std::string>>& lines, std::size_t left_columns) {
    std::vector<std::size_t> widths;
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (widths.size() <= i) widths.push_back(0);
            if (line.size() > left_columns + 1) widths[i] = std::max(widths[i], line[i].size());
        }
    std::string text;
    for (const auto& line : lines) {
        std::string row = " ";
        for (std::size_t i = 0; i < line.size(); ++i)
            row += i < left_columns || i + 1 == line.size() ? fmt::format(" {:<{}} ", line[i], widths[i])
                                                            : fmt::format(" {:>{}} ", line[i], widths[i]);
        row.erase(row.find_last_not_of(' ') + 1);
        if (row.size() > kWidth) row = row.substr(0, kWidth - 3) + "...";
        text += row + "\n";
    }
    return text;
}

const PointResult* of_engine(const PointRow& row, const std::string& engine) {
    const auto found = std::find_if(row.begin(), row.end(), [&](auto* r) { return r->engine == engine && ran(*r); });
    return found == row.end() ? nullptr : *found;
}

// Of kinds that have no step: what was set, then these metrics.
std::string metrics_table(const Study& study, const std::vector<AccessColumn>& columns) {
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& setting : study.results.front().settings) lines[0].push_back(short_name(setting.first));
    const bool engines = several_engines_ran(study);
    if (engines) lines[0].push_back("engine");
    const std::size_t settings = lines[0].size();
    for (const AccessColumn& column : columns) lines[0].push_back(column.head);
    for (const PointResult& result : study.results) {
        auto& line = lines.emplace_back();
        for (const auto& setting : result.settings) line.push_back(setting.second);
        if (engines) line.push_back(result.engine);
        if (ran(result))
            for (const AccessColumn& column : columns) line.push_back(cell(*result.run, column));
        else
            line.push_back(std::string(to_string(result.status)) + ": " + result.reason);
    }
    return aligned(lines, settings);
}

}  // namespace

std::string study_table(const Study& study, const AllocationLaw& law, const std::string& model) {
    if (is_access(study)) return metrics_table(study, access_columns(study));
    if (is_serving(study)) return metrics_table(study, serving_columns(study));
    if (is_training(study)) return metrics_table(study, training_columns(study));
    if (is_rl(study)) return metrics_table(study, rl_columns());
    if (is_collective(study)) return metrics_table(study, collective_columns(study));
    const std::vector<std::string> engines = engines_that_ran(study);
    const PointResult& any = *std::find_if(study.results.begin(), study.results.end(), ran);
    const bool losses = std::any_of(study.results.begin(), study.results.end(),
                                    [&](const PointResult& r) { return loss_of(r, law, model).has_value(); });
    const std::size_t settings = any.settings.size();
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& setting : any.settings) lines[0].push_back(short_name(setting.first));
    // Both engines' times stand side by side; throughput follows from time and is shown of the more detailed one.
    const std::string time = speed_names(*any.run).time_label.substr(0, 4);
    for (const std::string& engine : engines)
        lines[0].push_back(fmt::format("{} ms", engines.size() > 1 ? engine : time));
    lines[0].push_back("tok/s/acc");
    lines[0].push_back("stall ms");
    const std::vector<TierColumn> tiers = tier_columns(study);
    for (const TierColumn& tier : tiers) lines[0].push_back(tier.name + " GB");
    if (losses) lines[0].push_back("loss");
    lines[0].push_back("bound by");
    const std::string detailed = most_detailed_engine(study);
    for (const PointRow& row : rows_of(study)) {
        auto& line = lines.emplace_back();
        for (const auto& setting : row.front()->settings) line.push_back(setting.second);
        const PointResult* shown = of_engine(row, detailed);
        for (const PointResult* result : row)
            if (!shown && ran(*result)) shown = result;
        if (!shown) {
            line.push_back(std::string(to_string(row.front()->status)) + ": " + row.front()->reason);
            continue;
        }
        for (const std::string& engine : engines) {
            const PointResult* result = of_engine(row, engine);
            line.push_back(result ? fmt::format("{:.3f}", time_ms(*result->run)) : "-");
        }
        line.push_back(fmt::format("{:.0f}", tokens_per_s(*shown->run)));
        line.push_back(fmt::format("{:.3f}", shown->run->metrics.at("engram.stall_ms")));
        for (const TierColumn& tier : tiers) line.push_back(fmt::format("{:.1f}", shown->run->metrics.at(tier.metric)));
        if (losses) {
            const auto loss = loss_of(*shown, law, model);
            line.push_back(loss ? fmt::format("{:.4f}", loss->loss) : "unknown");
        }
        line.push_back(shown->run->bottleneck);
    }
    const std::string head =
        engines.size() > 1 ? fmt::format("  {} by each engine; all else by {}\n", time, most_detailed_engine(study))
                           : "";
    return head + aligned(lines, settings);
}

std::string wrapped(const std::string& text) {
    std::string all, line;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        if (line.size() + 1 + (end - at) > kWidth) {
            all.append(line).push_back('\n');
            line.clear();
        }
        if (!line.empty()) line += ' ';
        line.append(text, at, end - at);
        if (end < text.size() && text[end] == '\n') {
            all.append(line).push_back('\n');
            line.clear();
        }
        at = end + 1;
    }
    all.append(line).push_back('\n');
    return all;
}

}  // namespace strata
