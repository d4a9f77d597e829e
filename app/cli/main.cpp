// strata: run, check and look things up from a terminal or CI. Results on stdout, progress and errors on stderr.
// CLI11 costs 15 s wherever it is seen: only what defines commands includes it.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "app/cli/ci_commands.hpp"
#include "app/cli/command_line.hpp"
#include "app/cli/verbs.hpp"
#include "app/measure/host.hpp"
#include "app/measure/kernels.hpp"
#include "hwmodels/data_root.hpp"
#include "hwmodels/input_error.hpp"
#include "hwmodels/yaml_field.hpp"
#include "sim/workload/keep_memory.hpp"

namespace {

// Red on a terminal, unless NO_COLOR asks for none (no-color.org: set and not empty).
int failed(int code, const std::string& message) {
    const char* plain = std::getenv("NO_COLOR");
    const bool red = isatty(STDERR_FILENO) && !(plain && *plain);
    std::cerr << (red ? "\033[31m" : "") << "strata: " << message << (red ? "\033[0m" : "") << '\n';
    return code;
}

// --quiet: what is said on the way goes nowhere, and so do results unless they were asked for as data. Programs that
// are started from here inherit it.
void hush(bool prints_data) {
    std::clog.rdbuf(nullptr);
    if (!prints_data && !std::freopen("/dev/null", "w", stdout)) throw std::runtime_error("cannot open /dev/null");
}

void add_host_options(CLI::App& command, strata::MeasureArguments& measure) {
    command.add_option("--out", measure.out_file,
                       "write the record (a line of JSON for each measurement) to FILE, or to stdout with -");
    command
        .add_option("--only", measure.only,
                    "one of stream_read, random_gather, read_latency, direct_reads; repeat it for more")
        ->check(CLI::IsMember(strata::host_measurements()))
        ->allow_extra_args(false);
    measure.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    command.add_option("--threads", measure.threads, "most threads, tried in powers of two (default: cores)")
        ->check(CLI::Range(1, 1024));
    command.add_option("--table-size", measure.table_size,
                       "table in memory, such as '4 GiB' (default: 4 GiB or a quarter of what is free)");
    command.add_option("--scratch", measure.scratch, "folder for the file that is read; nothing stays there")
        ->capture_default_str();
    command.add_option("--file-size", measure.file_size,
                       "size of that file (default: 4 GiB or a quarter of what is free)");
    command.add_flag("--no-io-uring", measure.no_io_uring, "read by threads of pread instead of io_uring");
    command.add_flag("--quick", measure.quick, "a look in a few seconds instead of a measurement in a minute");
}

void add_cluster_options(CLI::App& command, strata::ClusterArguments& cluster) {
    command.add_option("--partition", cluster.partition, "of Slurm (default: the site's)");
    command.add_option("--task-memory", cluster.memory, "of a task, as sbatch --mem takes it")->capture_default_str();
    command.add_option("--task-cores", cluster.cores, "of a task")->check(CLI::Range(1, 4096))->capture_default_str();
    command.add_option("--sbatch", cluster.sbatch, "more for sbatch, such as --sbatch=--time=1:00:00; repeat it")
        ->allow_extra_args(false);
}

void add_train_study_options(CLI::App& command, strata::TrainStudyArguments& study) {
    command
        .add_option("--out", study.out_file, "the points, as CSV; curves go beside it. Points that are there are kept")
        ->required();
    command.add_flag("--smoke", study.smoke, "two tiny points, in seconds, to see that all of it works");
    command.add_option("--budget", study.budgets, "small or large (or smoke)")->allow_extra_args(false);
    command.add_option("--rho", study.rhos, "the experts' share of the sparse parameters")->allow_extra_args(false);
    command.add_option("--residual", study.residuals, "plain, hc or mhc")->allow_extra_args(false);
    command.add_option("--optimiser", study.optimisers, "adamw or muon")->allow_extra_args(false);
    command.add_option("--seed", study.seeds, "of first weights and text; repeat it for more, as all of these")
        ->allow_extra_args(false);
}

}  // namespace

int main(int argc, char** argv) {
    strata::keep_freed_memory();
    CLI::App app{"Strata: what happens to a DeepSeek-V4-style model on a machine if you move the dials"};
    app.set_version_flag("--version", std::string("strata ") + STRATA_VERSION);
    app.require_subcommand(0, 1);
    app.footer("'strata COMMAND --help' has examples; docs/ci.md has the exit codes.");

    strata::RunArguments run;
    CLI::App* run_command =
        strata::add_verb(app, "run", "Run every point of a scenario",
                         "  strata run scenarios/examples/engram-tiers.yaml\n"
                         "  strata run SCENARIO --set workload.batch=256 --out out\n"
                         "  strata run SCENARIO --set workload.batch=256 --trace step.pftrace\n"
                         "  strata run SCENARIO --set 'platform.accelerator.memory.bandwidth=8 TB/s' --json -");
    run_command->add_option("scenario", run.scenario, "scenario file (YAML)")->required();
    run_command->add_option("--json", run.json_file, "write results as JSON to FILE, or to stdout with -");
    CLI::Option* out = run_command->add_option(
        "--out", run.out_folder,
        "folder for the report (HTML, PDF, Markdown, JSON), results.json, results.csv and figures");
    run_command->add_option("--figures", run.figures_folder, "folder for the report's figures (default: that of --out)")
        ->needs(out);
    run_command->add_option("--trace", run.trace_file,
                            "write what each resource was busy with and when, of one point by the systemc engine, to "
                            "FILE: .pftrace for ui.perfetto.dev, .json for Chrome's format");
    run_command->add_option("--chakra", run.chakra_file, "write the same step as a Chakra execution trace to FILE");
    run_command->add_option("--metrics", run.metrics_file, "write results in Prometheus' text format to FILE");
    run_command->add_option("--set", run.set, "override a field: PATH=VALUE")->allow_extra_args(false);

    run_command
        ->add_option(
            "--engine", run.engines,
            "analytic (microseconds a point) or systemc (contention and queues); give it twice for both. Scenarios "
            "of kind access have bank alone")
        ->check(CLI::IsMember({"analytic", "systemc", "bank"}))
        ->allow_extra_args(false);
    run_command->add_option("--junit", run.junit_file,
                            "write the assertions as JUnit XML to FILE, also where they fail");
    run_command->add_option("--markdown", run.markdown_file, "write them as a Markdown table to FILE");
    run.jobs = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    run_command->add_option("--jobs", run.jobs, "points that the systemc engine simulates at a time (default: cores)")
        ->check(CLI::Range(1, 4096));
    run_command->add_option("--store", run.store_file,
                            "file that keeps points, shared with other studies (default: study.sqlite in the --out "
                            "folder); what it knows is not computed again");
    run_command->add_flag("--no-cache", run.renew, "compute every point, also those that the store knows");
    run_command->add_option("--time-limit", run.limits.time_s, "seconds that the systemc engine may take for a point")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    run_command
        ->add_option("--memory-limit", run.limits.memory_gb,
                     "GB of address space that the systemc engine may take for a point; 0: no limit")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    run_command->add_option("--on", run.on, "this machine, or slurm: a job array, each task a chunk of the points")
        ->check(CLI::IsMember({"this", "slurm"}));
    run_command->add_option("--array-size", run.cluster.array, "tasks at most (a task has at least 500 points)")
        ->check(CLI::Range(1, 10000000))
        ->capture_default_str();
    add_cluster_options(*run_command, run.cluster);
    run.command = "strata";
    for (int i = 1; i < argc; ++i) run.command += std::string(" ") + argv[i];

    run_command->add_flag("--binds", run.binds, "also what binds each point (see 'strata binds')");

    std::string study_folder;
    std::size_t chunk = 0;
    int chunk_jobs = 1;
    bool resubmit = false;
    strata::ClusterArguments cluster;
    CLI::App* study_command = strata::add_verb(app, "study", "Studies that a job array computes in chunks",
                                               "  strata run SCENARIO --on slurm --out FOLDER\n"
                                               "  strata study merge FOLDER --resubmit\n"
                                               "  strata run SCENARIO --out FOLDER");
    study_command->require_subcommand(0, 1);
    CLI::App* merge_command =
        study_command->add_subcommand("merge", "joins the chunks that are there; exit code 1 if some are missing");
    merge_command->add_option("folder", study_folder, "the --out folder of the study")->required();
    merge_command->add_flag("--resubmit", resubmit, "send missing chunks again that neither wait nor run");
    add_cluster_options(*merge_command, cluster);
    CLI::App* chunk_command = study_command->add_subcommand("chunk", "computes one of them: what a task does");
    chunk_command->add_option("folder", study_folder, "the --out folder of the study")->required();
    chunk_command->add_option("chunk", chunk, "its number, from 0")->required();
    chunk_command->add_option("--jobs", chunk_jobs, "points at a time")->check(CLI::Range(1, 4096));

    strata::BindsArguments binds;
    CLI::App* binds_command = strata::add_verb(
        app, "binds", "Make each resource of the platform a little better, one at a time, and say what helps most",
        "  strata binds scenarios/examples/engram-tiers.yaml\n"
        "  strata binds SCENARIO --by 25% --metric decode.tpot_ms --set workload.batch=64");
    binds_command->add_option("scenario", binds.scenario, "scenario file (YAML)")->required();
    binds_command->add_option("--by", binds.by, "how much better, such as 10%")->capture_default_str();
    binds_command->add_option("--metric", binds.metric, "what to gain in (default: speed, by the kind of workload)");
    binds_command->add_option("--json", binds.json_file, "write the gains as JSON to FILE, or to stdout with -");
    binds_command->add_option("--set", binds.set, "override a field: PATH=VALUE")->allow_extra_args(false);
    binds_command->add_option("--engine", binds.engines, "analytic or systemc")
        ->check(CLI::IsMember({"analytic", "systemc"}))
        ->allow_extra_args(false);

    strata::SensitivityArguments sensitivity;
    CLI::App* sensitivity_command = strata::add_verb(
        app, "sensitivity",
        "How far a metric swings, one input at a time: hardware numbers, and errors of the cost book",
        "  strata sensitivity scenarios/examples/engram-tiers.yaml --metric decode.tpot_ms\n"
        "  strata sensitivity SCENARIO --metric decode.tpot_ms --by 25% --sobol 512 --set workload.batch=64");
    sensitivity_command->add_option("scenario", sensitivity.scenario, "scenario file (YAML)")->required();
    sensitivity_command->add_option("--metric", sensitivity.metric, "such as decode.tpot_ms")->required();
    sensitivity_command->add_option("--by", sensitivity.by, "how far hardware numbers move, such as 10%")
        ->capture_default_str();
    sensitivity_command
        ->add_option("--sobol", sensitivity.sobol,
                     "also Sobol indices of the step's time from this many samples (times inputs + 2 evaluations)")
        ->check(CLI::Range(2, 1 << 20));
    sensitivity_command->add_option("--json", sensitivity.json_file, "write as JSON to FILE, or to stdout with -");
    sensitivity_command->add_option("--set", sensitivity.set, "override a field: PATH=VALUE")->allow_extra_args(false);

    strata::CheckArguments checked;
    CLI::App* check_command = strata::add_verb(app, "check", "Read scenarios and say what is wrong with them",
                                               "  strata check scenarios/examples/*.yaml");
    check_command->add_option("scenarios", checked.scenarios, "scenario files")->required();
    check_command->add_flag("--json", checked.json, "as JSON");

    strata::ValidateArguments ledger;
    CLI::App* validate_command = strata::add_verb(app, "validate", "Hold predictions against published results",
                                                  "  strata validate\n  strata validate --only 'engram-*' --json -\n"
                                                  "  strata validate --against ledger.json");
    validate_command->add_option("--json", ledger.json_file, "write the ledger as JSON to FILE, or to stdout with -");
    validate_command->add_option("--only", ledger.only, "rows whose id matches this pattern (such as 'engram-*')");

    validate_command->add_option("--against", ledger.against,
                                 "FILE of an earlier --json: fail where a row got worse, not where it is off");
    validate_command->add_option("--markdown", ledger.markdown_file, "write what got worse or better to FILE")
        ->needs("--against");

    strata::BalanceArguments balance;
    CLI::App* balance_command = strata::add_verb(
        app, "balance", "How evenly experts and ranks of a layer are loaded over time, by biases and by placing anew",
        "  strata balance scenarios/examples/expert-balance.yaml --steps 1000 --replace 0 --replace 100");
    balance_command->add_option("scenario", balance.scenario, "scenario with a workload.routing; its first point")
        ->required();
    balance_command->add_option("--set", balance.set, "override a field: PATH=VALUE; repeat it for more")
        ->allow_extra_args(false);
    balance_command->add_option("--layer", balance.layer, "counted from 0 (default: the first that has a router)")
        ->check(CLI::Range(0, 10000));
    balance_command->add_option("--steps", balance.steps, "steps of the model")
        ->check(CLI::Range(2, 1000000))
        ->capture_default_str();
    balance_command->add_option("--bias-rate", balance.bias_rate, "by which a bias moves in a step")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    balance_command
        ->add_option("--replace", balance.periods, "steps from one placement to the next, 0: never; repeat it")
        ->check(CLI::Range(0, 1000000))
        ->allow_extra_args(false);
    balance_command->add_option("--json", balance.json_file, "write all steps as JSON to FILE, or to stdout with -");

    strata::MeasureArguments measure;
    strata::KernelMeasuring kernels;
    CLI::App* measure_command =
        strata::add_verb(app, "measure", "Measure this machine, for scenarios and the cost book to use",
                         "  strata measure host --out this-machine.jsonl\n"
                         "  strata measure host --only random_gather --threads 8\n"
                         "  strata measure host --only direct_reads --scratch /data --file-size '16 GB'\n"
                         "  strata measure kernels --out kernels/profiles/this-gpu.jsonl\n"
                         "  strata measure precision --out precision.json");
    measure_command->require_subcommand(0, 1);
    CLI::App* host_command = measure_command->add_subcommand("host", "this machine's memory and drive");
    add_host_options(*host_command, measure);
    CLI::App* kernels_command = measure_command->add_subcommand(
        "kernels",
        "the CUDA kernels on this machine's GPU; a record in kernels/profiles is what the cost book reads. "
        "Exit code 77: no CUDA device");
    kernels_command->add_option("--filter", kernels.filters, "only kernels whose name and shape contain this")
        ->allow_extra_args(false);
    kernels_command->add_option("--out", kernels.out_file, "write the record (lines of JSON) to FILE, as it goes");
    kernels_command->add_option("--minutes", kernels.minutes, "start nothing after this long")->capture_default_str();

    std::string precision_file;
    std::uint64_t seed = 1;
    CLI::App* precision_command = measure_command->add_subcommand(
        "precision", "what each storage format does to numbers and to dot products, by its own arithmetic");
    precision_command->add_option("--out", precision_file, "write the record (JSON) to FILE, or to stdout with -");
    precision_command->add_option("--seed", seed, "of the data; the same seed gives the same record")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();

    std::string kind, name;
    bool json = false;
    CLI::App* catalog_command = strata::add_verb(app, "catalog", "List parts, systems and models, or show one",
                                                 "  strata catalog systems\n"
                                                 "  strata catalog parts H200_SXM\n"
                                                 "  strata catalog models v4.1-flash --json");
    catalog_command->add_option("kind", kind, "parts, systems or models")
        ->check(CLI::IsMember({"parts", "systems", "models"}));
    catalog_command->add_option("name", name, "the one to show");
    catalog_command->add_flag("--json", json, "as JSON");

    std::string op, shape, device = "H200_SXM";
    CLI::App* explain_command = strata::add_verb(
        app, "explain", "Show how the cost book comes to the time of an op",
        "  strata explain gemm_fp8 --shape m=4096,n=7168,k=16384 --device H200_SXM\n"
        "  strata explain latent_attention --shape batch=64,context=32768,heads=128,cache=bfloat16 --device GB200");
    explain_command->add_option("op", op, "a family of ops with tables, such as gemm_bf16 (a wrong one lists all)")
        ->required();
    explain_command->add_option("--shape", shape, "the lengths of its sides: SIDE=N,SIDE=N,...")->required();
    explain_command->add_option("--device", device, "an accelerator of the catalogue")->capture_default_str();
    explain_command->add_flag("--json", json, "as JSON");

    strata::QualityArguments quality;
    CLI::App* quality_command = strata::add_verb(
        app, "quality", "What laws of quality say of a model: residual streams, precision, drafts, allocation",
        "  strata quality v4-flash\n"
        "  strata quality v4-pro --depth 60 --iterations 5\n"
        "  strata quality v3 --drafts 3 --json -\n"
        "  strata quality v4.1-flash --allocation my-points.csv --rho 0.75");
    quality_command->add_option("model", quality.model, "a preset (see 'strata catalog models')")->required();
    quality_command->add_option("--depth", quality.depth, "sublayers (default: two for each of the model's layers)")
        ->check(CLI::Range(1, 2000));
    quality_command->add_option("--iterations", quality.iterations, "of Sinkhorn's algorithm in mHC")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    quality_command->add_option("--drafts", quality.drafts, "tokens drafted a step (default: as published)")
        ->check(CLI::Range(1, 64));
    quality_command
        ->add_option("--accumulation", quality.accumulation, "what keeps sums of FP8: fp32, promoted or hopper")
        ->check(CLI::IsMember({"fp32", "promoted", "hopper"}))
        ->capture_default_str();
    quality_command->add_option(
        "--allocation", quality.allocation_points,
        "points of your own: a CSV with columns rho, loss and budget, to which a curve is fitted");
    quality_command->add_option("--rho", quality.rho, "the experts' share of the sparse parameters to ask for")
        ->check(CLI::Range(0.0, 1.0));
    quality_command
        ->add_option("--slots", quality.slots,
                     "slots of an Engram table, of each order and head of a layer, to ask for")
        ->check(CLI::PositiveNumber);
    quality_command->add_option("--json", quality.json_file, "write the laws as JSON to FILE, or to stdout with -");

    strata::TrainStudyArguments train_study;
    CLI::App* train_study_command = strata::add_verb(
        app, "train-study", "Train small models at several rho and two budgets: a law of allocation measured here",
        "  strata train-study --smoke --out /tmp/points.csv\n"
        "  nice strata train-study --out points.csv          # goes on where it was stopped\n"
        "  strata train-study --out points.csv --budget small --residual mhc --rho 0.8 --seed 2");
    add_train_study_options(*train_study_command, train_study);

    std::string schema = "scenario";
    CLI::App* schema_command =
        strata::add_verb(app, "schema", "Print the JSON Schema of scenarios, models, records or reports",
                         "  strata schema > scenario.schema.json\n"
                         "  strata schema model > model.schema.json");
    schema_command->add_option("kind", schema, "scenario, model, measurement, precision, report or results")
        ->capture_default_str();

    const strata::CiCommands ci(app);
    bool quiet = false;
    strata::add_quiet_flags(app, quiet);

    try {
        if (argc < 2) throw strata::InputError("a command is needed; see 'strata --help'");
        if (argv[1][0] != '-') strata::refuse_unknown_verb(app, argv[1]);
        app.parse(argc, argv);
        const std::string root = strata::data_root(STRATA_SOURCE_DIR);
        if (quiet) hush(strata::prints_data(app));
        if (const auto code = ci.run(root)) return *code;
        if (*run_command && run.on == "slurm") return strata::submit_verb(run, root);
        if (*run_command) return strata::run_verb(run, root);
        if (*merge_command) return strata::study_merge_verb(study_folder, cluster, resubmit, root);
        if (*chunk_command) return strata::study_chunk_verb(study_folder, chunk, chunk_jobs, root);
        if (*study_command) throw strata::InputError("study", "merge or chunk (see 'strata study --help')", "nothing");
        if (*binds_command) return strata::binds_verb(binds, root);
        if (*sensitivity_command) return strata::sensitivity_verb(sensitivity, root);
        if (*check_command) return strata::check_verb(checked, root);
        if (*balance_command) return strata::balance_verb(balance, root);
        if (*validate_command) return strata::validate_verb(ledger, root);
        if (*kernels_command) return strata::measure_kernels(kernels);
        if (*precision_command) return strata::measure_precision_verb(precision_file, seed);
        if (*host_command) return strata::measure_verb(measure);
        if (*measure_command)
            throw strata::InputError("measure", "host, kernels or precision (see 'strata measure --help')", "nothing");
        if (*explain_command) return strata::explain_verb(op, shape, device, json, root);
        if (*quality_command) return strata::quality_verb(quality, root);
        if (*train_study_command) return strata::train_study_verb(train_study, root);
        if (*schema_command) return strata::schema_verb(schema, root);
        return strata::catalog_verb(kind, name, json, root);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
        return failed(2, fmt::format("{}; see 'strata --help'", strata::unknown_argument(app, error.what())));
    } catch (const strata::InputError& error) {
        return failed(2, error.what());
    } catch (const std::exception& error) {
        return failed(3, fmt::format("failed inside: {}", error.what()));
    }
}
