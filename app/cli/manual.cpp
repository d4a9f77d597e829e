#include "app/cli/manual.hpp"

#include <fmt/format.h>

#include <sstream>

namespace strata {

namespace {

// A minus is a minus and not a hyphen, so that examples can be copied; a line may not begin with a command of roff.
std::string roff(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if ((c == '.' || c == '\'') && (escaped.empty() || escaped.back() == '\n')) escaped += "\\&";
        if (c == '\\')
            escaped += "\\e";
        else if (c == '-')
            escaped += "\\-";
        else
            escaped += c;
    }
    return escaped;
}

std::string option_text(const OptionDescription& option) {
    std::string names;
    for (const std::string& name : option.names)
        names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", roff(name));
    if (option.takes_value)
        names += fmt::format(
            " \\fI{}\\fR", option.choices.empty() ? "VALUE" : roff(fmt::format("{}", fmt::join(option.choices, "|"))));
    return fmt::format(".TP\n{}\n{}\n", names, roff(option.what));
}

// The examples of a footer: its lines that begin with blanks, as they are.
std::string examples_text(const std::string& footer) {
    std::string lines;
    std::istringstream stream(footer);
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with("  ")) lines += roff(line.substr(2)) + "\n";
    return lines.empty() ? "" : fmt::format(".PP\nExamples:\n.PP\n.RS 4\n.nf\n{}.fi\n.RE\n", lines);
}

std::string command_text(const CommandDescription& command, const std::string& above) {
    const std::string name = above + command.name;
    std::string text = fmt::format(".SS {}\n{}.\n", roff("\"" + name + "\""), roff(command.what));
    for (const OptionDescription& positional : command.positionals)
        text += fmt::format(".TP\n\\fI{}\\fR\n{}\n", roff(positional.names.front()), roff(positional.what));
    for (const OptionDescription& option : command.options) text += option_text(option);
    text += examples_text(command.footer);
    for (const CommandDescription& below : command.commands) text += command_text(below, name + " ");
    return text;
}

constexpr const char* kEnvironment = R"(.SH ENVIRONMENT
.TP
.B STRATA_ROOT
The folder that holds catalogue, presets and cost tables, where it is not beside the program.
.TP
.B STRATA_CACHE
Where answers of the bank model are kept between runs (else the user's cache folder).
.TP
.B STRATA_CHART_JS
Chart.js, where it is not where the build found it.
.TP
.B NO_COLOR
Set and not empty: no colours.
.TP
.B SOURCE_DATE_EPOCH
The date that reports show, in seconds since 1970.
.TP
.B GITHUB_ACTIONS
true: what fails is also said as an annotation of GitHub.
)";

}  // namespace

std::string manual_page(const CommandDescription& program, const std::string& version, const std::string& date) {
    std::string text = fmt::format(".TH STRATA 1 \"{}\" \"strata {}\" \"User Commands\"\n", date, version);
    text += ".SH NAME\nstrata \\- what a machine does to a DeepSeek\\-V4\\-style model when dials move\n";
    text += ".SH SYNOPSIS\n.B strata\n.I command\n[\\fIoptions\\fR]\n";
    text += fmt::format(".SH DESCRIPTION\n{}.\n", roff(program.what));
    text += "Results go to standard output, progress and errors to standard error.\n.SH COMMANDS\n";
    for (const CommandDescription& command : program.commands) text += command_text(command, "strata ");
    text += ".SH \"EXIT STATUS\"\n";
    for (const ExitCode& code : kExitCodes) text += fmt::format(".TP\n.B {}\n{}\n", code.code, roff(code.meaning));
    return text + kEnvironment;
}

}  // namespace strata
