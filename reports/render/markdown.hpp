// A Document as Markdown (GitHub's tables), for issues, pull requests and wikis.
#pragma once

#include <string>

#include "reports/document.hpp"

namespace strata {

// Figures are linked as FOLDER/NAME.svg; an empty folder: there are none, and the charts are left out.
std::string markdown_of(const Document& document, const std::string& figures_folder);

}  // namespace strata
