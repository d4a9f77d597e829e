// The manual page, strata(1), from the description of the commands.
#pragma once

#include <string>

#include "app/cli/command_description.hpp"

namespace strata {

// In the man macros of groff and mandoc. The date is the one that reports show (SOURCE_DATE_EPOCH is heeded).
std::string manual_page(const CommandDescription& program, const std::string& version, const std::string& date);

}  // namespace strata
