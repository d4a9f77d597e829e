// What can be typed after 'strata', as plain data: shell completion and the manual page are written from it, so that
// they cannot say anything else than the parser does.
#pragma once

#include <string>
#include <vector>

namespace strata {

struct OptionDescription {
    std::vector<std::string> names;  // "-q", "--quiet"; of a positional its name alone
    std::string what;
    bool takes_value = true;
    std::vector<std::string> choices{};  // of the value; empty: anything, mostly a file
};

struct CommandDescription {
    std::string name, what, footer;
    std::vector<OptionDescription> options, positionals;
    std::vector<CommandDescription> commands;
};

// The meaning of what a program returns, for help, manual and docs/ci.md.
struct ExitCode {
    int code;
    const char* meaning;
};
inline constexpr ExitCode kExitCodes[] = {
    {0, "fine"},
    {1, "ran, but what was to hold does not: an assertion, a row of the ledger, a --fail-if, a prediction that moved"},
    {2, "bad input: the message says what, where and what was expected; no result was written"},
    {3, "failed inside: a machine or this program, not the input"},
    {77, "nothing to measure on: 'strata measure kernels' without a CUDA device"},
};

}  // namespace strata
