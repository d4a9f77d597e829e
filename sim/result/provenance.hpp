// Where a number of a run comes from, in a word and in shares.
#pragma once

#include <string>

#include "sim/result/run.hpp"

namespace strata {

// The origin that holds the largest share of the compute time; exchanges and failures alone are modelled.
std::string provenance_of(const Run& run, const std::string& metric);

// "interpolated 81 %, modelled 19 %", the largest first; the word alone where there are no shares.
std::string provenance_shares(const Run& run, const std::string& metric);

}  // namespace strata
