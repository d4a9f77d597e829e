// Figures and pages are drawn by strata-print, a program of its own, so that strata links no Qt.
#pragma once

#include <filesystem>
#include <string>

namespace strata {

// From report.json: its pages into `pdf`, NAME.svg and NAME.png of each chart into `figures`. Returns why there are
// none, if strata-print is not there; throws std::runtime_error if it fails.
std::string print_report(const std::filesystem::path& report, const std::filesystem::path& pdf,
                         const std::filesystem::path& figures);

}  // namespace strata
