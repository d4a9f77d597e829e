// The table of kernels/README.md: every kernel at its most telling shape, with what a record says of it.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "kernels/bench/kernel.hpp"

namespace strata {

// Of several records the last that has a sample of it; one whose kernel has changed since is none. Without records
// nothing was measured, and the cells say so. Throws std::invalid_argument where one cannot be read.
std::string markdown_table(const std::vector<Kernel>& kernels, const std::vector<std::string>& records);

}  // namespace strata
