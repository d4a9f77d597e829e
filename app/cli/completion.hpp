// Shell completion from the description of the commands.
#pragma once

#include <string>

#include "app/cli/command_description.hpp"

namespace strata {

std::string bash_completion(const CommandDescription& program);
std::string zsh_completion(const CommandDescription& program);
std::string fish_completion(const CommandDescription& program);

}  // namespace strata
