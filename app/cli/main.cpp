// strata: run, check and look things up from a terminal or CI. Results on stdout, progress and errors on stderr.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>

#include "app/cli/verbs.hpp"
#include "hwmodels/input_error.hpp"

namespace {

// The folder that holds catalogue and presets: STRATA_ROOT, else where this program was built from.
std::string root_folder() {
    const char* given = std::getenv("STRATA_ROOT");
    return given ? given : STRATA_SOURCE_DIR;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Strata: what happens to a DeepSeek-V4-style model on a machine if you move the dials"};
    app.set_version_flag("--version", std::string("strata ") + STRATA_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Examples:\n  strata run scenarios/examples/engram-tiers.yaml\n"
        "  strata run SCENARIO --json - --set workload.batch=256\n"
        "  strata catalog models v4.1-flash --json\n"
        "Exit codes: 0 fine, 1 an assertion failed, 2 bad input, 3 failed inside");

    strata::RunArguments run;
    CLI::App* run_command = app.add_subcommand("run", "Run every point of a scenario");
    run_command->add_option("scenario", run.scenario, "scenario file (YAML)")->required();
    run_command->add_option("--json", run.json_file, "write results as JSON to FILE, or to stdout with -");
    run_command->add_option("--out", run.out_folder, "folder for results.json and results.csv");
    run_command->add_option("--set", run.set, "override a field: PATH=VALUE")->allow_extra_args(false);

    std::vector<std::string> checked;
    CLI::App* check_command = app.add_subcommand("check", "Read scenarios and say what is wrong with them");
    check_command->add_option("scenarios", checked, "scenario files")->required();

    std::string ledger_json, only = "*";
    CLI::App* validate_command = app.add_subcommand("validate", "Hold predictions against published results");
    validate_command->add_option("--json", ledger_json, "write the ledger as JSON to FILE, or to stdout with -");
    validate_command->add_option("--only", only, "rows whose id matches this pattern (such as 'engram-*')");

    std::string kind, name;
    bool json = false;
    CLI::App* catalog_command = app.add_subcommand("catalog", "List parts, systems and models, or show one");
    catalog_command->add_option("kind", kind, "parts, systems or models")
        ->check(CLI::IsMember({"parts", "systems", "models"}));
    catalog_command->add_option("name", name, "the one to show");
    catalog_command->add_flag("--json", json, "as JSON");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        const std::string root = root_folder();
        if (*run_command) return strata::run_verb(run, root);
        if (*check_command) return strata::check_verb(checked, root);
        if (*validate_command) return strata::validate_verb(ledger_json, only, root);
        return strata::catalog_verb(kind, name, json, root);
    } catch (const strata::InputError& error) {
        std::cerr << "strata: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "strata: failed inside: " << error.what() << '\n';
        return 3;
    }
}
