// The step of the point that is answered, in time. No Qt.
#pragma once

#include <string>

#include "app/gui/models/answer.hpp"
#include "app/gui/models/timeline_lanes.hpp"

namespace strata {

// By the systemc engine; where that cannot be asked by the analytic one, and the note says why. Throws InputError for a
// point that has no step.
StepTimeline traced_step_of(Answerer& answerer, const AnswerRequest& request, const std::string& simulator);

}  // namespace strata
