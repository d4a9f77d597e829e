// How results of kind serving are looked at: which metrics stand in tables, and how.
#pragma once

#include "reports/access_view.hpp"

namespace strata {

bool is_serving(const Study& study);
std::vector<AccessColumn> serving_columns();

}  // namespace strata
