// A study as results.json, schema "strata-results/1": keys in a fixed order, no date, so that equal studies are equal
// bytes.
#pragma once

#include <string>
#include <vector>

#include "reports/manifest.hpp"
#include "sim/scenario/scenario.hpp"

namespace strata {

std::string results_json(const Study& study, const std::vector<Assertion>& assertions, const Manifest& manifest);

}  // namespace strata
