// A comparison for a terminal, for a page in Markdown and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "reports/gate/comparison.hpp"

namespace strata {

// The moves that are largest; the JSON has all.
std::string comparison_text(const Comparison& comparison);
std::string comparison_markdown(const Comparison& comparison, const std::string& title);
// Schema "strata-comparison/1".
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace strata
