// The table of kernels/README.md: every kernel at its most telling shape, with what a record says of it.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "kernels/bench/kernel.hpp"

namespace strata {

// `record` may be empty: then nothing was measured, and the cells say so. Throws std::invalid_argument where it cannot
// be read.
std::string markdown_table(const std::vector<Kernel>& kernels, const std::string& record);

}  // namespace strata
