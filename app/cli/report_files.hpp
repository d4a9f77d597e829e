// What 'strata run --out' leaves in its folder, and what it shows on the way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reports/document.hpp"
#include "reports/render/html.hpp"
#include "sim/study/study.hpp"

namespace strata {

// report.html, .pdf, .md and .json, results.json and .csv in one folder; the figures of the document there or
// elsewhere.
struct ReportFolders {
    std::string report, figures;
};
void write_report(const ReportFolders& folders, const Document& document, const PageAssets& assets,
                  const std::string& json, const std::string& csv);

// Every system that the study ran on: one, unless the sweep changes it.
std::vector<std::string> systems_of(const Scenario& first, const Study& study);

// How many assertions a result fails; each is said on stderr. One on a metric that the result does not have is not
// silently true: InputError.
int failed_assertions(const std::vector<Assertion>& assertions, const Run& run);

// On a terminal only, at most ten times a second.
std::function<void(std::size_t, std::size_t)> progress_bar();

}  // namespace strata
