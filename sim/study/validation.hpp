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

// Predicts every row of FOLDER/*.yaml whose id matches the shell pattern `only`. Throws InputError for a file that is
// wrong and for a row that cannot be predicted.
std::vector<LedgerRow> validate(const std::string& folder, const std::string& only, const StudyOptions& options);

}  // namespace strata
