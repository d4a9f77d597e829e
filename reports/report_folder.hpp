// A report as the files that it is handed on in.
#pragma once

#include <string>
#include <vector>

#include "reports/document.hpp"
#include "reports/render/html.hpp"

namespace strata {

// report.html, .pdf, .md and .json, results.json and .csv in one folder; the figures of the document there or
// elsewhere.
struct ReportFolders {
    std::string report, figures;
};

struct WrittenReport {
    std::vector<std::string> files{};  // with their folders
    std::string obstacle{};            // why there are no figures and no PDF; empty: there are
};

// All of it or, on an error, nothing: what stood there before still stands. Where figures and PDF alone fail, the rest
// is put in place before that is thrown (std::runtime_error). Throws InputError for what the user can mend.
WrittenReport write_report(const ReportFolders& folders, const Document& document, const PageAssets& assets,
                           const std::string& json, const std::string& csv);

}  // namespace strata
