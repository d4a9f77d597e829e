// The report of a scenario's study, as `strata run --out` and the window's export have it.
#pragma once

#include <string>
#include <vector>

#include "reports/document.hpp"
#include "reports/manifest.hpp"
#include "sim/cost/cost_book.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/study/study.hpp"

namespace strata {

// Every system that the study ran on: one, unless the sweep changes it.
std::vector<std::string> systems_of(const Scenario& first, const Study& study);

// `costs`: those of `root`, which is the folder of scenarios/ and hwmodels/. Looks closer at the recommended point,
// which takes a second. Throws InputError.
Document study_report(const ScenarioFile& scenario, const Study& study, const Manifest& manifest, const CostBook& costs,
                      const std::string& root);

}  // namespace strata
