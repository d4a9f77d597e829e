// Numbers of many points, as files hold them, in one form: results.json, what a search found, a baseline, a record of
// measurements. So any two can be compared.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/study.hpp"

namespace strata {

// Where a number may lie: p10 to p90 of a prediction, least and most of repeated measurements.
struct Band {
    double low = 0, high = 0;
    bool holds(double value) const { return low <= value && value <= high; }
};

struct Number {
    double value = 0;
    std::optional<Band> band{};
};

struct PredictedPoint {
    std::string scenario;
    std::string name;           // "workload.batch=64, analytic"; of a measurement, what was measured and how
    std::string status = "ok";  // as results.json has it
    std::string provenance{};   // of most of its time
    std::map<std::string, Number> metrics{};

    std::string full_name() const { return scenario.empty() ? name : scenario + " [" + name + "]"; }
};

using Predictions = std::vector<PredictedPoint>;

// Throws InputError for a file that is none of these, with what it should have been.
Predictions read_predictions(const std::string& file);

// Of the text of one, but a record; `name` opens error messages.
Predictions predictions_from(const std::string& text, const std::string& name);

// Of one scenario that was just run.
Predictions predictions_of(const std::string& scenario, const std::vector<PointResult>& results);

// A point as a baseline holds it.
nlohmann::ordered_json baseline_point(const PointResult& result);

}  // namespace strata
