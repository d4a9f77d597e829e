// A chart into a file; what it becomes is said by the file's ending: .png (twice the pixels), .pdf or .svg.
#pragma once

#include <string>

#include "reports/document.hpp"

namespace strata {

// Needs a QApplication. Throws InputError for an unknown ending, std::runtime_error if the file cannot be made.
void save_chart(const Chart& chart, const std::string& file);

}  // namespace strata
