// What share of its rate a memory gives to rows of a size, scattered at random, and which rows the model reads from
// where. No Qt.
#pragma once

#include <string>
#include <vector>

#include "app/gui/models/answer.hpp"
#include "reports/document.hpp"

namespace strata {

struct RowCurve {
    std::string memory{};              // "HBM: HBM3E, by banks"
    std::vector<ChartPoint> points{};  // bytes of a row, share of the peak in %
};

// What the model reads row by row.
struct ReadRow {
    std::string name{};  // "Engram row"
    std::string tier{};  // "hbm"
    double bytes = 0;
    std::optional<double> share{};  // of the tier's peak, in %; none: nobody knows
};

struct RowCurves {
    std::vector<RowCurve> curves{};
    std::vector<ReadRow> rows{};
};

// Throws InputError for a point that has no step.
RowCurves row_curves(Answerer& answerer, const AnswerRequest& request);
Chart chart_of(const RowCurves& curves);

}  // namespace strata
