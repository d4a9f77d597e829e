#include "reports/render/results_json.hpp"

#include <nlohmann/json.hpp>

#include "sim/result/run_json.hpp"

namespace strata {

std::string results_json(const Study& study, const std::vector<Assertion>& assertions, const Manifest& manifest) {
    nlohmann::ordered_json points = nlohmann::ordered_json::array();
    for (const PointResult& result : study.results) {
        nlohmann::ordered_json settings = nlohmann::ordered_json::object();
        for (const auto& [path, value] : result.settings) settings[path] = value;
        nlohmann::ordered_json point{
            {"settings", settings}, {"engine", result.engine}, {"status", to_string(result.status)}};
        if (!result.reason.empty()) point["reason"] = result.reason;
        if (result.run) point.update(to_json(*result.run));
        if (result.binding) point["binds"] = to_json(*result.binding);
        for (const Assertion& assertion : assertions)
            if (result.run && result.run->metrics.count(assertion.metric))
                point["assertions"][assertion.text] = assertion.holds(result.run->metrics.at(assertion.metric));
        points.push_back(point);
    }
    const nlohmann::ordered_json document{
        {"schema", "strata-results/1"}, {"scenario", study.name}, {"manifest", to_json(manifest)}, {"points", points}};
    return document.dump(1) + "\n";
}

}  // namespace strata
