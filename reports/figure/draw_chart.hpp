// Draws a Chart into a plot: printed figures and the screen show the same picture.
#pragma once

#include "reports/document.hpp"

class QCustomPlot;

namespace strata {

void draw_chart(const Chart& chart, QCustomPlot& plot);

}  // namespace strata
