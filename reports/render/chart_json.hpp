// A chart as JSON, schema "strata-chart/1": what strata-print and the page's script draw from.
#pragma once

#include <nlohmann/json.hpp>

#include "reports/document.hpp"

namespace strata {

nlohmann::ordered_json to_json(const Chart& chart);

// Throws what nlohmann::json and std::invalid_argument say of a chart that is none.
Chart chart_from_json(const nlohmann::ordered_json& json);
// Throws InputError that says what is missing or malformed.
Chart chart_from_json(const std::string& text, const std::string& name_of_the_file);

}  // namespace strata
