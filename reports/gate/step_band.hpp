// How far off a step's time may be: the bands of the families on its critical path, together.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "reports/gate/predictions.hpp"
#include "sim/result/critical_path.hpp"

namespace strata {

// Relative to the step: {0.95, 1.07}. Nothing where no family has a band.
std::optional<Band> step_band(const CriticalPath& path);
// Of a path as results.json has it.
std::optional<Band> step_band(const nlohmann::ordered_json& path);

// The metrics that are a step's time or a rate over it.
void add_step_bands(std::map<std::string, Number>& metrics, const Band& relative);

}  // namespace strata
