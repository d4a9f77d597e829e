// Draws a Chart into a plot: printed figures and the screen show the same picture.
#pragma once

#include "reports/document.hpp"

class QCustomPlot;

namespace strata {

void draw_chart(const Chart& chart, QCustomPlot& plot);
// The same in two steps, for those who change fonts between: notes stand at pixels of the layout that they find.
void draw_series(const Chart& chart, QCustomPlot& plot);
void draw_notes(const Chart& chart, QCustomPlot& plot);

}  // namespace strata
