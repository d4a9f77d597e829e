// How results of kind serving are looked at: which metrics stand in tables, and how.
#pragma once

#include "reports/access_view.hpp"

namespace strata {

bool is_serving(const Study& study);
// Rate and concurrency where no setting says them, and balance where tokens do not spread evenly.
std::vector<AccessColumn> serving_columns(const Study& study);

}  // namespace strata
