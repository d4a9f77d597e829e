// A Trace on its way from strata-simulate to who asked for it.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/result/trace.hpp"

namespace strata {

nlohmann::ordered_json to_json(const Trace& trace);
Trace trace_from_json(const nlohmann::ordered_json& json);

}  // namespace strata
