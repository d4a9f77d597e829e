// A study as the files that `strata run --out` writes: report.html, results.json, results.csv and figures.
#pragma once

#include <string>
#include <vector>

#include "app/gui/models/scenario_document.hpp"
#include "sim/study/study.hpp"

namespace strata {

// Names of what was written. Throws InputError for what the user can mend. In the thread of the window: it draws.
std::vector<std::string> export_report(const Study& study, const ScenarioDocument& document, const std::string& folder);

}  // namespace strata
