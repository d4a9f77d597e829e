// Figures are drawn by strata-print, a program of its own, so that strata links no Qt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reports/document.hpp"

namespace strata {

// Writes NAME.svg and NAME.png for each chart. Returns why there are none, if strata-print is not there; throws
// std::runtime_error if it fails.
std::string write_figures(const std::vector<Chart>& charts, const std::filesystem::path& folder);

}  // namespace strata
