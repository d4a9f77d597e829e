// The JSON Schemas of scenarios, models and records of measurements, as editors and other programs use them. The files
// in scenarios/schema are written by hand; a test holds them and the readers together.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace strata {

// `kind` is "scenario", "model" or "measurement". The scenario's schema refers to the model's: what comes back has it
// inside and stands alone. Throws InputError for another kind.
nlohmann::ordered_json schema_of(const std::string& kind, const std::string& schema_folder);

}  // namespace strata
