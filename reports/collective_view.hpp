// How results of kind collective are looked at: which metrics stand in tables, and how.
#pragma once

#include "reports/access_view.hpp"

namespace strata {

bool is_collective(const Study& study);
std::vector<AccessColumn> collective_columns(const Study& study);  // of the metrics that are not zero everywhere
// What stands beside the numbers: the link that is busy longest.
inline constexpr const char* kBusiestLink = "busiest link";

}  // namespace strata
