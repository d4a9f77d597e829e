// Samples as lines of a table for people.
#pragma once

#include <string>
#include <vector>

#include "kernels/bench/record.hpp"

namespace strata {

std::string table_head();
std::string table_line(const Sample& sample);

}  // namespace strata
