// What a comparison does to a roofline: an arrow from where an op was to where it is, with the change of its time.
#pragma once

#include <QPalette>
#include <vector>

#include "app/gui/models/answer.hpp"

class QCustomPlot;

namespace strata {

struct RooflineChange {
    const RooflineOp *before, *now;
    double relative = 0;  // of the time of all its calls
};
// The ops of both whose time in the step changed most, at most `most` of them; the largest first.
std::vector<RooflineChange> roofline_changes(const std::vector<RooflineOp>& before, const std::vector<RooflineOp>& now,
                                             std::size_t most);

// Onto a plot whose axes stand. A label that would lie on another is left out: the table has all.
void draw_changes(QCustomPlot& plot, const std::vector<RooflineChange>& changes, const QPalette& palette);

}  // namespace strata
