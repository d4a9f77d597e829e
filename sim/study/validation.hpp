// The validation ledger: published results, each predicted by a scenario and held against its tolerance. A row that
// misses stays, with what is known of why; nothing in the cost curves is fitted on a row that stands here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/study/study.hpp"

namespace strata {

struct LedgerRow {
    std::string id, source, unit, note;
    std::string file{};               // its name without folder and ending; empty: of the cost book
    std::optional<double> published;  // none: `above` says what it must exceed
    std::string above;                // another row of the file, by id: published only as clearly worse
    double predicted = 0;
    double tolerance = 0;  // relative, or in `unit` if `absolute`
    bool absolute = false;
    bool pass = false;
    std::string provenance;  // what most of the predicted time is: interpolated, transferred, modelled, ...

    // Relative to what is published, or in `unit` if the tolerance is; none where nothing is published.
    std::optional<double> error() const;
};

// How far the rows of one file are off, of those that are held to a relative tolerance.
struct LedgerSummary {
    std::string file;
    int rows = 0, within = 0;
    double mean_error = 0, median_error = 0;  // of the magnitude
};

// In the order in which files come first.
std::vector<LedgerSummary> summaries_of(const std::vector<LedgerRow>& rows);

// Predicts every row of FOLDER/*.yaml whose id matches the shell pattern `only`. Throws InputError for a file that is
// wrong and for a row that cannot be predicted.
std::vector<LedgerRow> validate(const std::string& folder, const std::string& only, const StudyOptions& options);

}  // namespace strata
