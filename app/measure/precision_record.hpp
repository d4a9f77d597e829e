// The record of 'strata measure precision': scenarios/schema/precision.schema.json. It is arithmetic and not a
// machine's, so it has neither machine nor date: the same seed gives the same bytes.
#pragma once

#include <string>
#include <vector>

#include "app/measure/precision.hpp"

namespace strata {

const std::vector<std::string>& precision_notes();
std::string to_record(const PrecisionErrors& errors, std::uint64_t seed);

}  // namespace strata
