// How busy memories and the links to them are over a step, as its trace has them. No Qt.
#pragma once

#include "app/gui/models/timeline_lanes.hpp"
#include "reports/document.hpp"

namespace strata {

// Of the rank that is shown first, at the middle of each of `steps` equal parts of the step: the share of a layer's
// time around it in which a part moves data at its rate, in %; within a layer it goes up and down too fast to be seen.
// Without series where no part was followed (the analytic engine).
Chart memory_use(const StepTimeline& timeline, int steps = 100);

}  // namespace strata
