#include "reports/render/results_csv.hpp"

#include <fmt/format.h>

#include <set>

#include "reports/render/csv_cell.hpp"

namespace strata {

namespace {}  // namespace

std::string results_csv(const Study& study) {
    std::set<std::string> metrics;
    for (const PointResult& result : study.results)
        if (result.run)
            for (const auto& entry : result.run->metrics) metrics.insert(entry.first);
    std::string text;
    if (!study.results.empty())
        for (const auto& setting : study.results.front().settings) text += csv_cell(setting.first) + ",";
    text += "engine,status,bottleneck";
    for (const std::string& metric : metrics) text += "," + metric;
    text += "\n";
    for (const PointResult& result : study.results) {
        for (const auto& setting : result.settings) text += csv_cell(setting.second) + ",";
        text +=
            fmt::format("{},{},{}", result.engine, to_string(result.status), result.run ? result.run->bottleneck : "");
        for (const std::string& metric : metrics)
            text += result.run && result.run->metrics.count(metric) ? fmt::format(",{}", result.run->metrics.at(metric))
                                                                    : ",";
        text += "\n";
    }
    return text;
}

}  // namespace strata
