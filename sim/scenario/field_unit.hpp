// The unit that the scenario's schema gives a field, for axes of charts.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace strata {

// "steps" of "placement.experts.age"; empty where the field has none, or writes it with each value.
std::string unit_of(const nlohmann::ordered_json& schema, const std::string& path);

}  // namespace strata
