// Loss, throughput and cost over rho of the point that is answered, and which rho to build: what the report of such a
// study would say, by the scenario's own law.
#pragma once

#include <optional>

#include "app/gui/models/answer.hpp"
#include "reports/document.hpp"

namespace strata {

struct AllocationCurves {
    std::optional<Chart> loss{}, speed{}, cost{};  // without a loss where the law knows none, a cost without a price
    std::string said{};  // the recommendation, its rule, how sure it is, and where losses come from
};

// Throws InputError where the point has no dial rho, does not fit at any, or its own points are no law.
AllocationCurves allocation_curves(Answerer& answerer, const AnswerRequest& request);

}  // namespace strata
