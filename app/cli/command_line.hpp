// What all commands share on the command line: how they are added, told apart and described. CLI11 stays in the
// sources: it costs 15 s wherever it is seen.
#pragma once

#include <string>

#include "app/cli/command_description.hpp"

namespace CLI {
class App;
}

namespace strata {

// A command whose help ends in examples and exit codes.
CLI::App* add_verb(CLI::App& app, const char* name, const char* what, const char* examples);

// -q, --quiet for every command; `quiet` becomes true where one of them is given it.
void add_quiet_flags(CLI::App& app, bool& quiet);

// Whether what was asked for on stdout is for a program to read: then --quiet leaves it.
bool prints_data(const CLI::App& app);

// CLI11 would only say that a word was not expected. Throws InputError with the nearest command.
void refuse_unknown_verb(const CLI::App& app, const std::string& word);

// What CLI11 complains of, with the nearest word that the command knows where there is one.
std::string unknown_argument(const CLI::App& app, const std::string& message);

CommandDescription description_of(const CLI::App& app, const std::string& name);

}  // namespace strata
