// Which columns of a table hold numbers: those are set flush right.
#pragma once

#include <vector>

#include "reports/document.hpp"

namespace strata {

// Columns all of whose cells start like numbers, or are "-".
std::vector<bool> numeric_columns(const Table& table);

}  // namespace strata
