#include "reports/study_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

namespace strata {

namespace {

std::optional<double> number_in(const std::string& text) {
    double value = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || rest != text.data() + text.size()) return std::nullopt;
    return value;
}

// Path and its values in the order met, for the settings that vary.
std::vector<std::pair<std::string, std::vector<std::string>>> varying(const Study& study) {
    std::vector<std::pair<std::string, std::vector<std::string>>> all;
    if (study.results.empty()) return all;
    for (const auto& [path, ignored] : study.results.front().settings)
        all.emplace_back(path, std::vector<std::string>{});
    for (auto& [path, values] : all) {
        std::set<std::string> known;
        for (const PointResult& result : study.results)
            if (const auto value = setting(result, path); value && known.insert(*value).second)
                values.push_back(*value);
    }
    std::erase_if(all, [](const auto& entry) { return entry.second.size() < 2; });
    return all;
}

// Mostly known after two points: this is asked for each point's label.
bool varies(const Study& study, const std::string& path) {
    std::optional<std::string> first;
    for (const PointResult& result : study.results) {
        const auto value = setting(result, path);
        if (value && first && *value != *first) return true;
        if (!first) first = value;
    }
    return false;
}

bool all_numbers(const std::vector<std::string>& values) {
    return std::all_of(values.begin(), values.end(), [](const auto& value) { return number_in(value).has_value(); });
}

// Powers of two or ten are read better on a log axis.
bool spans_decades(const std::vector<std::string>& values) {
    double low = 1e300, high = 0;
    for (const std::string& value : values) {
        low = std::min(low, *number_in(value));
        high = std::max(high, *number_in(value));
    }
    return low > 0 && high / low >= 30;
}

}  // namespace

SpeedNames speed_names(const Run& run) {
    if (run.metrics.count("decode.tpot_ms"))
        return {"decode.tpot_ms", "decode.tokens_per_s_per_accelerator", "TPOT [ms]"};
    return {"prefill.ttft_ms", "prefill.tokens_per_s_per_accelerator", "TTFT [ms]"};
}

bool is_step(const Run& run) { return run.metrics.contains(speed_names(run).throughput); }

double time_ms(const Run& run) { return run.metrics.at(speed_names(run).time); }
double tokens_per_s(const Run& run) { return run.metrics.at(speed_names(run).throughput); }

std::optional<double> XAxis::position(const PointResult& result) const {
    const auto value = setting(result, path);
    if (!value) return std::nullopt;
    if (axis.categories.empty()) return number_in(*value);
    const auto found = std::find(axis.categories.begin(), axis.categories.end(), *value);
    return double(found - axis.categories.begin());
}

std::optional<XAxis> x_axis_of(const Study& study) {
    const auto all = varying(study);
    if (all.empty()) return std::nullopt;
    const auto rank = [](const auto& entry) {
        if (!all_numbers(entry.second)) return std::size_t{0};
        return entry.first == kRhoPath ? std::size_t{1} << 62 : entry.second.size();
    };
    const auto best =
        *std::max_element(all.begin(), all.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    XAxis x{best.first, {short_name(best.first), false}};
    if (const auto unit = study.units.find(best.first); unit != study.units.end() && unit->second != x.axis.label)
        x.axis.label += " [" + unit->second + "]";
    if (best.first == kRhoPath) x.axis.label = "rho: experts' share of the sparse parameters";
    if (rank(best) == 0)
        x.axis.categories = best.second;
    else
        x.axis.log = spans_decades(best.second);
    return x;
}

std::vector<Group> groups_of(const Study& study, const std::optional<XAxis>& x) {
    std::vector<Group> groups;
    std::map<std::string, int> colours;
    std::map<std::pair<std::string, std::string>, std::size_t> index;
    for (const PointResult& result : study.results) {
        const std::string settings = label_of(result, study, x ? x->path : "");
        const auto [place, is_new] = index.try_emplace({settings, result.engine}, groups.size());
        if (is_new) {
            const int colour = colours.try_emplace(settings, int(colours.size())).first->second;
            groups.push_back({settings, result.engine, colour});
        }
        groups[place->second].results.push_back(&result);
    }
    std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.engine > b.engine; });
    return groups;
}

std::string series_name(const Group& group, const Study& study) {
    if (!several_engines_ran(study)) return group.settings.empty() ? group.engine : group.settings;
    return group.settings.empty() ? group.engine : group.settings + ", " + group.engine;
}

std::optional<std::string> setting(const PointResult& result, const std::string& path) {
    for (const auto& [name, value] : result.settings)
        if (name == path) return value;
    return std::nullopt;
}

std::optional<double> number_setting(const PointResult& result, const std::string& path) {
    const auto text = setting(result, path);
    return text ? number_in(*text) : std::nullopt;
}

std::string short_name(const std::string& path) { return path.substr(path.rfind('.') + 1); }

std::string label_of(const PointResult& result, const Study& study, const std::string& without) {
    std::string label;
    for (const auto& [path, ignored] : result.settings)
        if (path != without && varies(study, path))
            label += (label.empty() ? "" : ", ") + short_name(path) + " " + setting(result, path).value_or("?");
    return label.empty() && without.empty() ? "the only point" : label;
}

bool ran(const PointResult& result) { return result.run.has_value(); }

bool some_has(const Study& study, const std::string& metric) {
    return std::any_of(study.results.begin(), study.results.end(),
                       [&](const PointResult& result) { return ran(result) && result.run->metrics.count(metric); });
}

std::vector<TierColumn> tier_columns(const Study& study) {
    std::vector<TierColumn> columns{{"HBM", "an accelerator", "memory.hbm_gb"}, {"host", "a node", "memory.host_gb"}};
    if (std::any_of(study.results.begin(), study.results.end(),
                    [](const PointResult& point) { return ran(point) && point.run->metrics.at("memory.cxl_gb") > 0; }))
        columns.push_back({"CXL", "a node", "memory.cxl_gb"});
    columns.push_back({"NVMe", "a node", "memory.nvme_gb"});
    return columns;
}

std::vector<std::string> engines_that_ran(const Study& study) {
    std::vector<std::string> engines;
    for (const PointResult& result : study.results)
        if (ran(result) && std::find(engines.begin(), engines.end(), result.engine) == engines.end())
            engines.push_back(result.engine);
    return engines;
}

bool several_engines_ran(const Study& study) {
    const auto first = std::ranges::find_if(study.results, ran);
    return std::any_of(first, study.results.end(),
                       [&](const PointResult& result) { return ran(result) && result.engine != first->engine; });
}

std::string most_detailed_engine(const Study& study) {
    const std::vector<std::string> engines = engines_that_ran(study);
    const auto systemc = std::find(engines.begin(), engines.end(), "systemc");
    return systemc != engines.end() ? *systemc : engines.empty() ? "" : engines.front();
}

std::string plain(double value) {
    if (value == 0) return "0";
    const double size = std::abs(value);
    if (size >= 1000 && size < 1e15) return fmt::format("{:.0f}", value);
    if (size < 1e-4) return fmt::format("{:.3g}", value);
    return fmt::format("{:.4g}", value);
}

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

// Results of a point stand next to each other, one an engine.
std::vector<EnginePair> engine_pairs(const Study& study) {
    std::vector<EnginePair> pairs;
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

std::optional<double> widest_difference(const Study& study) {
    std::optional<double> widest;
    for (const EnginePair& pair : engine_pairs(study)) widest = std::max(widest.value_or(0), std::abs(pair.difference));
    return widest;
}

}  // namespace strata
