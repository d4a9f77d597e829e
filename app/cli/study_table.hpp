// A study on a terminal of 120 columns: a line for each point, all engines beside each other.
#pragma once

#include <string>

#include "sim/quality/allocation_law.hpp"
#include "sim/study/study.hpp"

namespace strata {

std::string study_table(const Study& study, const AllocationLaw& law, const std::string& model);

// Broken between words so that no line is longer; line breaks of the text stay.
std::string wrapped(const std::string& text);

}  // namespace strata
