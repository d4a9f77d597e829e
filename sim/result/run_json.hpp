// Run as JSON: keys in a fixed order, numbers in their shortest exact form, so that equal runs are equal bytes.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/result/binding.hpp"
#include "sim/result/run.hpp"

namespace strata {

nlohmann::ordered_json to_json(const Run& run);
nlohmann::ordered_json to_json(const Binding& binding);
// The way back of a step, from what a worker answered. Throws nlohmann::json::exception on anything else.
Run run_from_json(const nlohmann::ordered_json& json);

}  // namespace strata
