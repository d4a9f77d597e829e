#include "app/cli/completion.hpp"

#include <fmt/format.h>

#include <functional>
#include <string_view>

namespace strata {

namespace {

using Path = std::vector<std::string>;  // of commands: "measure", "host"

// The program itself comes first, with an empty path.
void for_each_command(const CommandDescription& command, const Path& path,
                      const std::function<void(const CommandDescription&, const Path&)>& visit) {
    visit(command, path);
    for (const CommandDescription& below : command.commands) {
        Path deeper = path;
        deeper.push_back(below.name);
        for_each_command(below, deeper, visit);
    }
}

std::vector<std::string> words_of(const CommandDescription& command) {
    std::vector<std::string> words;
    for (const CommandDescription& below : command.commands) words.push_back(below.name);
    if (!command.positionals.empty())
        for (const std::string& choice : command.positionals.front().choices) words.push_back(choice);
    return words;
}

// Inside single quotes, where each shell takes all but the quote itself as it is.
std::string in_quotes(std::string_view text) {
    std::string inside;
    for (const char c : text) inside += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return "'" + inside + "'";
}

// Up to its first sentence's end: one line of a menu.
std::string in_short(const std::string& text) {
    return text.substr(0, std::min(text.find_first_of(";\n("), std::size_t{72}));
}

}  // namespace

// The commands given so far lead to a path such as "/measure/host"; what is offered depends on it, and, for the value
// of an option, on the word before. Where nothing is offered the shell completes files.
std::string bash_completion(const CommandDescription& program) {
    std::string paths, values, offers;
    for_each_command(program, {}, [&](const CommandDescription& command, const Path& path) {
        const std::string at = path.empty() ? "" : fmt::format("/{}", fmt::join(path, "/"));
        if (!at.empty()) paths += fmt::format("{}{}", paths.empty() ? "" : "|", at);
        std::vector<std::string> options;
        for (const OptionDescription& option : command.options)
            for (const std::string& name : option.names) {
                options.push_back(name);
                if (option.takes_value)
                    values += fmt::format("        {}) words={} ;;\n", in_quotes(at + " " + name),
                                          in_quotes(fmt::format("{}", fmt::join(option.choices, " "))));
            }
        offers += fmt::format("        {})\n            options={}\n            words={}\n            ;;\n",
                              in_quotes(at), in_quotes(fmt::format("{}", fmt::join(options, " "))),
                              in_quotes(fmt::format("{}", fmt::join(words_of(command), " "))));
    });
    return fmt::format(R"(# bash completion for strata, written by 'strata completion bash'
_strata() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} path='' options='' words='' i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$path/${{COMP_WORDS[i]}}" in
            {}) path+="/${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$path" in
{}    esac
    case "$path $previous" in
{}        *) [[ $word == -* ]] && words=$options ;;
    esac
    [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -o bashdefault -o default -F _strata strata
)",
                       paths, offers, values);
}

// A function for each command that has others below it; _arguments does the rest.
std::string zsh_completion(const CommandDescription& program) {
    const auto escaped = [](std::string_view text) {
        std::string inside;
        for (const char c : text)
            inside +=
                std::string_view("[]:\\").find(c) == std::string_view::npos ? std::string(1, c) : std::string("\\") + c;
        return inside;
    };
    const auto value_of = [](const OptionDescription& option) {
        return option.choices.empty() ? std::string("_files") : fmt::format("({})", fmt::join(option.choices, " "));
    };
    std::string functions;
    for_each_command(program, {}, [&](const CommandDescription& command, const Path& path) {
        std::string arguments, cases;
        for (const OptionDescription& option : command.options)
            for (const std::string& name : option.names)
                arguments += fmt::format(
                    " \\\n        {}", in_quotes(fmt::format("*{}[{}]{}", name, escaped(in_short(option.what)),
                                                             option.takes_value ? ":value:" + value_of(option) : "")));
        const std::string own = path.empty() ? "_strata" : fmt::format("_strata_{}", fmt::join(path, "_"));
        if (command.commands.empty()) {
            for (const OptionDescription& positional : command.positionals)
                arguments += fmt::format(
                    " \\\n        {}",
                    in_quotes(fmt::format("*:{}:{}", escaped(positional.names.front()), value_of(positional))));
            functions += fmt::format("{}() {{\n    _arguments{}\n}}\n", own, arguments);
            return;
        }
        std::string listed;
        for (const CommandDescription& below : command.commands) {
            listed += fmt::format(" {}", in_quotes(fmt::format("{}:{}", below.name, in_short(below.what))));
            cases += fmt::format("                {0}) {1}_{0} ;;\n", below.name, own);
        }
        functions += fmt::format(R"({}() {{
    local context state line
    typeset -A opt_args
    _arguments -C{} \
        '1:command:->command' '*::argument:->argument'
    case $state in
        command)
            local -a commands=({})
            _describe command commands
            ;;
        argument)
            case $line[1] in
{}            esac
            ;;
    esac
}}
)",
                                 own, arguments, listed, cases);
    });
    return "#compdef strata\n# zsh completion for strata, written by 'strata completion zsh'\n" + functions +
           "compdef _strata strata\n";
}

std::string fish_completion(const CommandDescription& program) {
    std::string text = "# fish completion for strata, written by 'strata completion fish'\n";
    for_each_command(program, {}, [&](const CommandDescription& command, const Path& path) {
        std::string seen = path.empty() ? "__fish_use_subcommand" : "";
        for (const std::string& name : path)
            seen += fmt::format("{}__fish_seen_subcommand_from {}", seen.empty() ? "" : "; and ", name);
        std::vector<std::string> below;
        for (const CommandDescription& one : command.commands) below.push_back(one.name);
        const std::string open =
            path.empty() || below.empty()
                ? seen
                : fmt::format("{}; and not __fish_seen_subcommand_from {}", seen, fmt::join(below, " "));
        for (const CommandDescription& one : command.commands)
            text += fmt::format("complete -c strata -f -n {} -a {} -d {}\n", in_quotes(open), one.name,
                                in_quotes(in_short(one.what)));
        if (!command.positionals.empty() && !command.positionals.front().choices.empty())
            text += fmt::format("complete -c strata -f -n {} -a {}\n", in_quotes(open),
                                in_quotes(fmt::format("{}", fmt::join(command.positionals.front().choices, " "))));
        for (const OptionDescription& option : command.options) {
            std::string names;
            for (const std::string& name : option.names)
                names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            std::string value = option.takes_value ? " -r" : "";
            if (!option.choices.empty())
                value += fmt::format(" -f -a {}", in_quotes(fmt::format("{}", fmt::join(option.choices, " "))));
            text += fmt::format("complete -c strata -n {}{}{} -d {}\n", in_quotes(open), names, value,
                                in_quotes(in_short(option.what)));
        }
    });
    return text;
}

}  // namespace strata
