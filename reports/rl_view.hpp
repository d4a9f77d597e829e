// How results of kind rl are looked at: which metrics stand in tables, and what an iteration is made of.
#pragma once

#include "reports/training_view.hpp"

namespace strata {

bool is_rl(const Study& study);
const std::vector<AccessColumn>& rl_columns();
const std::vector<StackedPart>& iteration_parts();

}  // namespace strata
