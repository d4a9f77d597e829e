#include "reports/render/results_csv.hpp"

#include <fmt/format.h>

#include <set>

namespace strata {

namespace {

// Settings hold whatever a scenario wrote; quotes keep a comma or a quote from breaking the table (RFC 4180).
std::string cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

}  // namespace

std::string results_csv(const Study& study) {
    std::set<std::string> metrics;
    for (const PointResult& result : study.results)
        if (result.run)
            for (const auto& entry : result.run->metrics) metrics.insert(entry.first);
    std::string text;
    if (!study.results.empty())
        for (const auto& setting : study.results.front().settings) text += cell(setting.first) + ",";
    text += "engine,status,bottleneck";
    for (const std::string& metric : metrics) text += "," + metric;
    text += "\n";
    for (const PointResult& result : study.results) {
        for (const auto& setting : result.settings) text += cell(setting.second) + ",";
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
