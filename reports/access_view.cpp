#include "reports/access_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/study_view.hpp"

namespace strata {

namespace {

template <class Value>
std::size_t index_in(std::vector<Value>& all, const Value& value) {
    const auto found = std::find(all.begin(), all.end(), value);
    if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
    all.push_back(value);
    return all.size() - 1;
}

// What a group's name says anyway, or what its part and pattern are made of.
bool is_told(const std::string& path) {
    static const std::vector<std::string> told{"platform.system", "platform.accelerator", "platform.host_memory",
                                               "platform.nvme",   "platform.host_link",   "workload.part",
                                               "workload.pattern"};
    return std::find(told.begin(), told.end(), path) != told.end();
}

std::string others_of(const PointResult& result, const std::vector<const PointResult*>& all,
                      const std::vector<std::string>& along) {
    std::string text;
    for (const auto& [path, value] : result.settings) {
        if (is_told(path) || std::find(along.begin(), along.end(), path) != along.end()) continue;
        const auto differs = [&at = path, &here = value](const auto* other) { return setting(*other, at) != here; };
        if (std::any_of(all.begin(), all.end(), differs))
            text += (text.empty() ? "" : ", ") + short_name(path) + " " + value;
    }
    return text;
}

}  // namespace

bool is_access(const Study& study) {
    return std::any_of(study.results.begin(), study.results.end(),
                       [](const PointResult& result) { return ran(result) && result.run->accessed; });
}

std::vector<AccessColumn> access_columns(const Study& study) {
    static const std::vector<AccessColumn> all{{"access.bandwidth_GBps", "GB/s", 1, 1},
                                               {"access.efficiency", "% of peak", 100, 1},
                                               {"access.measured_GBps", "measured here [GB/s]", 1, 2},
                                               {"access.iops", "M requests/s", 1e-6, 3},
                                               {"access.measured_iops", "measured here [M/s]", 1e-6, 3},
                                               {"access.latency_ns", "mean [ns]", 1, 1},
                                               {"access.latency_p50_ns", "p50 [ns]", 1, 1},
                                               {"access.latency_p99_ns", "p99 [ns]", 1, 1},
                                               {"access.row_hit_rate", "row hits [%]", 100, 1},
                                               {"access.energy_pj_per_bit", "pJ/bit", 1, 2}};
    std::vector<AccessColumn> columns;
    for (const AccessColumn& column : all)
        if (std::any_of(study.results.begin(), study.results.end(), [&](const PointResult& result) {
                return ran(result) && result.run->metrics.count(column.metric);
            }))
            columns.push_back(column);
    return columns;
}

std::string cell(const Run& run, const AccessColumn& column) {
    const auto metric = run.metrics.find(column.metric);
    return metric == run.metrics.end() ? "-" : fmt::format("{:.{}f}", metric->second * column.scale, column.decimals);
}

std::vector<AccessGroup> access_groups(const Study& study, const std::vector<std::string>& along,
                                       const std::function<bool(const Accessed&)>& taken) {
    std::vector<const PointResult*> all;
    for (const PointResult& result : study.results)
        if (ran(result) && taken(*result.run->accessed)) all.push_back(&result);
    std::vector<AccessGroup> groups;
    for (const PointResult* result : all) {
        const Accessed& accessed = *result->run->accessed;
        const std::string others = others_of(*result, all, along);
        auto known = std::find_if(groups.begin(), groups.end(), [&](const AccessGroup& group) {
            return group.part == accessed.part && group.pattern == accessed.pattern && group.others == others;
        });
        if (known == groups.end()) known = groups.insert(groups.end(), {accessed.part, accessed.pattern, others});
        known->results.push_back(result);
    }
    return groups;
}

std::vector<Series> access_series(const std::vector<AccessGroup>& groups,
                                  const std::function<ChartPoint(const Run&)>& at) {
    std::vector<std::string> parts, patterns, others;
    for (const AccessGroup& group : groups) {
        index_in(parts, group.part);
        index_in(patterns, group.pattern);
        index_in(others, group.others);
    }
    const bool by_part = patterns.size() <= 2 && others.size() == 1;
    std::vector<Series> all;
    for (const AccessGroup& group : groups) {
        std::string name = parts.size() > 1 || patterns.size() == 1 ? group.part : "";
        for (const std::string& more : {patterns.size() > 1 ? group.pattern : "", group.others})
            if (!more.empty()) name += (name.empty() ? "" : ", ") + more;
        Series series{name, SeriesStyle::line, by_part && index_in(patterns, group.pattern) == 1,
                      static_cast<int>(by_part ? index_in(parts, group.part) : all.size())};
        for (const PointResult* result : group.results) series.points.push_back(at(*result->run));
        all.push_back(std::move(series));
    }
    return all;
}

std::string size_text(double bytes) {
    const double kib = bytes / 1024;
    return kib >= 1 && kib == std::floor(kib) ? fmt::format("{} KiB", kib) : fmt::format("{} B", bytes);
}

}  // namespace strata
