// A Document as one HTML file that opens from anywhere, without a network: style, script, Chart.js and data are inside.
#pragma once

#include <map>
#include <string>

#include "reports/document.hpp"

namespace strata {

// What is copied into every page. Read before a study starts, so that a missing one costs no results.
struct PageAssets {
    std::string style, script, chart_library;
};

// From ROOT/reports/render; Chart.js from STRATA_CHART_JS of the environment, else where the build found it. Throws
// InputError that says what to install.
PageAssets page_assets(const std::string& root);

// By the name of a chart, its picture as SVG: shown where scripts do not run, as in a mail's preview.
using Pictures = std::map<std::string, std::string>;

std::string html_of(const Document& document, const PageAssets& assets, const Pictures& pictures = {});

std::string html_escaped(const std::string& text);

}  // namespace strata
