#include "app/cli/ci_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <thread>

#include "app/cli/ci_verbs.hpp"
#include "app/cli/command_line.hpp"
#include "app/cli/completion.hpp"
#include "app/cli/manual.hpp"
#include "reports/manifest.hpp"

namespace strata {

struct CiCommands::Parsed {
    CLI::App* app = nullptr;
    CLI::App *compare = nullptr, *baseline = nullptr, *gate = nullptr, *completion = nullptr, *manual = nullptr;
    CompareArguments comparing;
    BaselineArguments storing;
    GateArguments gating;
    std::string shell;
};

namespace {

CLI::App* add_compare(CLI::App& app, CompareArguments& arguments) {
    CLI::App* command = add_verb(
        app, "compare", "Put two results beside each other and say what moved",
        "  strata compare before.json after.json\n"
        "  strata compare before.json after.json --fail-if 'decode.tokens_per_s < -2%' --fail-if 'memory.*_gb > 1%'\n"
        "  strata compare monday.jsonl friday.jsonl --fail-if '|bandwidth_GBps| > 5%'");
    command->add_option("base", arguments.from, "results of 'strata run --json', a baseline or a record (.jsonl)")
        ->required();
    command->add_option("new", arguments.to, "the same of what is to be compared with it")->required();
    command
        ->add_option("--fail-if", arguments.fail_if,
                     "METRIC < NUMBER[%], of how far it moved; |METRIC| in either direction; * and ? stand for any")
        ->allow_extra_args(false);
    command->add_flag("--strict", arguments.strict, "fail also where each number lies in the other's band");
    command->add_option("--json", arguments.json_file, "write the comparison as JSON to FILE, or to stdout with -");
    command->add_option("--markdown", arguments.markdown_file, "write it as a Markdown page to FILE");
    return command;
}

CLI::App* add_baseline(CLI::App& app, BaselineArguments& arguments) {
    CLI::App* command = add_verb(app, "baseline", "Store every number that scenarios predict, for 'strata gate'",
                                 "  strata baseline scenarios/examples --out baseline.json");
    command->add_option("paths", arguments.paths, "scenario files, or folders of them")->required();
    command->add_option("--out", arguments.out_file, "the baseline, to be kept beside the scenarios")->required();
    command->add_option("--jobs", arguments.jobs, "points that are simulated at a time (default: cores)")
        ->check(CLI::Range(1, 4096));
    return command;
}

CLI::App* add_gate(CLI::App& app, GateArguments& arguments) {
    CLI::App* command =
        add_verb(app, "gate", "Did a prediction move? Run the scenarios of a baseline again and compare",
                 "  strata gate --baseline baseline.json\n"
                 "  strata gate scenarios/examples/cost.yaml --baseline baseline.json --tolerance 0.1%");
    command->add_option("paths", arguments.paths, "scenario files or folders (default: those of the baseline)");
    command->add_option("--baseline", arguments.baseline, "what 'strata baseline' wrote")->required();
    command->add_option("--tolerance", arguments.tolerance, "a move that is none")->capture_default_str();
    command->add_option("--jobs", arguments.jobs, "points that are simulated at a time (default: cores)")
        ->check(CLI::Range(1, 4096));
    command->add_option("--json", arguments.json_file, "write the comparison as JSON to FILE, or to stdout with -");
    command->add_option("--markdown", arguments.markdown_file, "write it as a Markdown page to FILE");
    return command;
}

std::string completion_of(const CommandDescription& program, const std::string& shell) {
    if (shell == "bash") return bash_completion(program);
    return shell == "zsh" ? zsh_completion(program) : fish_completion(program);
}

}  // namespace

CiCommands::CiCommands(CLI::App& app) : parsed_(std::make_unique<Parsed>()) {
    parsed_->app = &app;
    parsed_->storing.jobs = parsed_->gating.jobs = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    parsed_->compare = add_compare(app, parsed_->comparing);
    parsed_->baseline = add_baseline(app, parsed_->storing);
    parsed_->gate = add_gate(app, parsed_->gating);
    parsed_->completion = add_verb(app, "completion", "Print completion for a shell",
                                   "  strata completion bash > ~/.local/share/bash-completion/completions/strata");
    parsed_->completion->add_option("shell", parsed_->shell, "which one")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    parsed_->manual = add_verb(app, "man", "Print the manual page", "  strata man > strata.1\n  man -l strata.1");
}

CiCommands::~CiCommands() = default;

std::optional<int> CiCommands::run(const std::string& root) const {
    if (*parsed_->compare) return compare_verb(parsed_->comparing);
    if (*parsed_->baseline) return baseline_verb(parsed_->storing, root);
    if (*parsed_->gate) return gate_verb(parsed_->gating, root);
    if (!*parsed_->completion && !*parsed_->manual) return std::nullopt;
    const CommandDescription program = description_of(*parsed_->app, "strata");
    std::cout << (*parsed_->manual ? manual_page(program, STRATA_VERSION, report_date().substr(0, 10))
                                   : completion_of(program, parsed_->shell));
    return 0;
}

}  // namespace strata
