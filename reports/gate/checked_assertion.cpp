#include "reports/gate/checked_assertion.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/result/provenance.hpp"

namespace strata {

std::optional<double> CheckedAssertion::margin() const {
    if (!measured) return std::nullopt;
    return assertion.comparison.front() == '<' ? assertion.bound - *measured : *measured - assertion.bound;
}

std::optional<double> CheckedAssertion::relative_margin() const {
    if (!measured || assertion.bound == 0) return std::nullopt;
    return *margin() / std::abs(assertion.bound);
}

std::string CheckedAssertion::point() const {
    std::string text;
    for (const auto& [path, value] : settings) text += fmt::format("{}={}, ", path, value);
    return text + engine;
}

AssertionPlaces assertion_places(const std::string& scenario_file) {
    const YAML::Node document = load_yaml(scenario_file);
    AssertionPlaces places;
    if (!document.IsMap() || !document["assertions"].IsSequence()) return places;
    for (const YAML::Node& node : document["assertions"])
        if (node.IsScalar())
            places.emplace(node.Scalar(),
                           fmt::format("{}:{}:{}", scenario_file, node.Mark().line + 1, node.Mark().column + 1));
    return places;
}

std::vector<CheckedAssertion> checked_assertions(const std::vector<Assertion>& assertions,
                                                 const std::vector<PointResult>& results,
                                                 const AssertionPlaces& places) {
    std::vector<CheckedAssertion> checked;
    for (const PointResult& result : results)
        for (const Assertion& assertion : assertions) {
            CheckedAssertion one{.assertion = assertion,
                                 .settings = result.settings,
                                 .engine = result.engine,
                                 .status = result.status,
                                 .reason = result.reason,
                                 .measured = {},
                                 .provenance = {},
                                 .shares = {}};
            if (const auto place = places.find(assertion.text); place != places.end()) one.place = place->second;
            if (result.run) {
                const auto metric = result.run->metrics.find(assertion.metric);
                if (metric == result.run->metrics.end())
                    throw InputError("assertion '" + assertion.text + "'", "a metric of this workload",
                                     "'" + assertion.metric + "'");
                one.measured = metric->second;
                one.provenance = provenance_of(*result.run, assertion.metric);
                one.shares = provenance_shares(*result.run, assertion.metric);
            }
            checked.push_back(std::move(one));
        }
    return checked;
}

}  // namespace strata
