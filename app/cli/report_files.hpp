// What 'strata run --out' leaves in its folder, and what it shows on the way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reports/report_folder.hpp"
#include "sim/study/study.hpp"

namespace strata {

// write_report, and what came of it on stderr.
void write_and_say(const ReportFolders& folders, const Document& document, const PageAssets& assets,
                   const std::string& json, const std::string& csv);

// How many assertions a result fails; each is said on stderr. One on a metric that the result does not have is not
// silently true: InputError.
int failed_assertions(const std::vector<Assertion>& assertions, const Run& run);

// On a terminal only, at most ten times a second.
std::function<void(std::size_t, std::size_t)> progress_bar();

}  // namespace strata
