#include "app/cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

constexpr const char* kCodesInShort = "Exit codes: 0 fine, 1 an assertion failed, 2 bad input, 3 failed inside";

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> option_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

// CLI11 keeps what IsMember allows in the name of the type alone: "TEXT:{analytic,systemc}".
std::vector<std::string> choices_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t open = type.find(":{"), close = type.rfind('}');
    if (open == std::string::npos || close == std::string::npos) return {};
    return CLI::detail::split(type.substr(open + 2, close - open - 2), ',');
}

// The innermost command that was given.
const CLI::App& command_given(const CLI::App& app) {
    for (const CLI::App* command : commands_of(app))
        if (command->parsed()) return command_given(*command);
    return app;
}

}  // namespace

CLI::App* add_verb(CLI::App& app, const char* name, const char* what, const char* examples) {
    CLI::App* command = app.add_subcommand(name, what);
    command->footer(fmt::format("Examples:\n{}\n{}", examples, kCodesInShort));
    return command;
}

void add_quiet_flags(CLI::App& app, bool& quiet) {
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        command->add_flag("-q,--quiet", quiet, "say nothing but what is wrong; files and --json are written as ever");
        add_quiet_flags(*command, quiet);
    }
}

bool prints_data(const CLI::App& app) {
    const CLI::App& command = command_given(app);
    for (const char* data_alone : {"schema", "completion", "man"})
        if (command.get_name() == data_alone) return true;
    for (const CLI::Option* option : command.get_options()) {
        if (option->count() == 0 || (!option->check_lname("json") && !option->check_lname("out"))) continue;
        const bool is_flag = option->get_items_expected_max() == 0;
        if (is_flag || option->as<std::string>() == "-") return true;
    }
    return false;
}

void refuse_unknown_verb(const CLI::App& app, const std::string& word) {
    std::vector<std::string> verbs;
    for (const CLI::App* command : commands_of(app)) verbs.push_back(command->get_name());
    if (std::find(verbs.begin(), verbs.end(), word) != verbs.end()) return;
    const auto meant = nearest_name(word, verbs);
    throw InputError(fmt::format(
        "unknown command '{}', {}", word,
        meant ? fmt::format("did you mean '{}'?", *meant) : fmt::format("known: {}", fmt::join(verbs, ", "))));
}

std::string unknown_argument(const CLI::App& app, const std::string& message) {
    if (message.find("not expected") == std::string::npos) return message;
    const std::size_t dashes = message.find("--");
    const CLI::App& command = command_given(app);
    std::vector<std::string> known;
    for (const CLI::Option* option : command.get_options())
        for (const std::string& name : option_names(*option)) known.push_back(name);
    for (const CLI::App* below : commands_of(command)) known.push_back(below->get_name());
    const std::size_t begin = dashes != std::string::npos ? dashes : message.rfind(' ') + 1;
    const std::string word = message.substr(begin, message.find_first_of(" =", begin) - begin);
    const auto meant = nearest_name(word, known);
    if (meant == word) return fmt::format("{}; '{}' stands after the command's name", message, word);
    return meant ? fmt::format("{}; did you mean '{}'?", message, *meant) : message;
}

CommandDescription description_of(const CLI::App& app, const std::string& name) {
    CommandDescription command{.name = name,
                               .what = app.get_description(),
                               .footer = app.get_footer(),
                               .options = {},
                               .positionals = {},
                               .commands = {}};
    for (const CLI::Option* option : app.get_options()) {
        OptionDescription described{.names = option_names(*option),
                                    .what = option->get_description(),
                                    .takes_value = option->get_items_expected_max() > 0,
                                    .choices = choices_of(*option)};
        if (described.names.empty()) {
            described.names = {option->get_name(true)};
            command.positionals.push_back(described);
        } else {
            command.options.push_back(described);
        }
    }
    for (const CLI::App* below : commands_of(app))
        command.commands.push_back(description_of(*below, below->get_name()));
    return command;
}

}  // namespace strata
