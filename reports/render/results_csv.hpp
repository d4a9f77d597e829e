// A study as results.csv: a line for each point and engine, numbers in their shortest exact form.
#pragma once

#include <string>

#include "sim/study/study.hpp"

namespace strata {

std::string results_csv(const Study& study);

}  // namespace strata
