// A study on a terminal: a line for each point, all engines beside each other.
#pragma once

#include <string>

#include "sim/quality/allocation_law.hpp"
#include "sim/study/study.hpp"

namespace strata {

std::string study_table(const Study& study, const AllocationLaw& law, const std::string& model);

}  // namespace strata
