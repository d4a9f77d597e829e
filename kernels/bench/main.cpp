// strata-kernels: list, check, ceilings, run, launch, table.
#include <cublasLt.h>
#include <cuda_profiler_api.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "kernels/bench/catalog.hpp"
#include "kernels/bench/markdown.hpp"
#include "kernels/bench/runner.hpp"
#include "kernels/bench/supervise.hpp"
#include "kernels/bench/table.hpp"

namespace strata {
namespace {

constexpr int kFailed = 1, kBadInput = 2, kInternal = 3, kNoDevice = 77;

struct Arguments {
    std::vector<std::string> filters;
    std::string out;
    bool all = false;
    ProfilerUse profiler = ProfilerUse::counters;
    double minutes = 7;  // so that what has been started is over in 8
    int patience = 60;   // seconds that one shape may take
    std::string command_line;
};

int list() {
    for (const Kernel& kernel : every_kernel()) {
        std::cout << kernel.name << "  " << kernel.what << '\n';
        for (const ProductionShape& production : kernel.shapes)
            std::cout << "    " << production.shape.text() << "  " << production.models << '\n';
    }
    return 0;
}

int no_device() {
    std::cerr << "no CUDA device: nothing was measured\n";
    return kNoDevice;
}

// A fault of a kernel stays with its process: nothing after it can be measured there.
bool device_lost() { return cudaDeviceSynchronize() != cudaSuccess; }

// What is wrong with it; nothing where it is right.
std::string wrong_with(Runner& runner, const Kernel& kernel, const Shape& shape) {
    try {
        const Verdict verdict = runner.check(kernel, shape);
        return verdict.pass ? ""
                            : verdict.metric + " " + std::to_string(verdict.value) + ", at most " +
                                  std::to_string(verdict.tolerance) + " expected; " + verdict.detail;
    } catch (const NotApplicable&) {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    }
}

int check_from(const std::vector<CheckCase>& cases, Progress& progress) {
    const auto gpu = find_gpu();
    if (!gpu) return no_device();
    Runner runner(*gpu, {});
    for (int at = progress.done; at < int(cases.size()); ++at) {
        progress.begin(at);
        const auto& [kernel, shape] = cases[std::size_t(at)];
        std::string said;
        try {
            said = wrong_with(runner, *kernel, *shape);
            std::cout << (said.empty() ? "ok      " : "WRONG   ") << kernel->name << "  " << shape->text()
                      << (said.empty() ? "" : "  " + said) << std::endl;
        } catch (const NotApplicable& why) {
            std::cout << "skipped " << kernel->name << "  " << why.what() << std::endl;
        }
        progress.finish(!said.empty());
        if (!said.empty() && device_lost()) return kDeviceLost;
    }
    std::cout << int(cases.size()) - progress.failed << " of " << cases.size() << " right or skipped\n";
    return progress.failed ? kFailed : 0;
}

int check(const Arguments& arguments) {
    const std::vector<Kernel> kernels = every_kernel();
    const std::vector<CheckCase> cases = check_cases_of(kernels, arguments.filters);
    return supervise([&](Progress& progress) { return check_from(cases, progress); },
                     std::chrono::seconds(arguments.patience),
                     [&](int item, const std::string& why) {
                         const auto& [kernel, shape] = cases[std::size_t(item)];
                         std::cout << "WRONG   " << kernel->name << "  " << shape->text() << "  " << why << std::endl;
                     });
}

void print(const Ceilings& ceilings) {
    for (const auto& [name, value] : ceilings.values)
        std::cout << "ceiling  " << name << "  " << value
                  << (name == "bf16" || name.substr(0, 3) == "fp8" ? " TFLOP/s" : " GB/s") << '\n';
    for (const auto& [name, reason] : ceilings.missing)
        std::cout << "ceiling  " << name << "  unavailable: " << reason << '\n';
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    return text;
}

RunFacts facts_of(const Gpu& gpu, const Runner& runner, const Arguments& arguments) {
    const std::string utc = utc_now();
    return {.id = gpu.uuid.substr(0, 12) + "-" + utc,
            .utc = utc,
            .command = arguments.command_line,
            .gpu = gpu,
            .cublas = std::to_string(cublasLtGetVersion()),
            .cupti = runner.cupti()};
}

// Lines go to the file as they come: a run that is cut short leaves whole lines behind.
class RecordFile {
public:
    explicit RecordFile(const std::string& path) {
        if (path.empty()) return;
        if (std::filesystem::exists(path))
            throw std::invalid_argument("--out " + path +
                                        ": there is such a file already; a run writes a file of its own");
        file_.open(path);
        if (!file_) throw std::invalid_argument("--out " + path + ": cannot be written");
    }
    void line(const nlohmann::ordered_json& json) {
        if (file_.is_open()) file_ << json.dump() << std::endl;
    }

private:
    std::ofstream file_;
};

int ceilings(const Arguments& arguments) {
    const auto gpu = find_gpu();
    if (!gpu) return no_device();
    RecordFile file(arguments.out);
    Runner runner(*gpu, {});
    const Ceilings measured = runner.ceilings();
    const auto rows = runner.zero_copy_rows();
    print(measured);
    for (const auto& [bytes, rate] : rows)
        std::cout << "zero-copy random rows of " << bytes << " B  " << rate << " GB/s\n";
    file.line(to_json(facts_of(*gpu, runner, arguments), measured, rows));
    return 0;
}

Sample unmeasured(const Case& one, Outcome outcome, const std::string& reason) {
    return {.kernel = one.kernel->name,
            .source = one.kernel->source,
            .models = one.shape->models,
            .shape = one.shape->shape,
            .outcome = outcome,
            .reason = reason};
}

void write(const Sample& sample, RecordFile& file) {
    file.line(to_json(sample));
    std::cout << table_line(sample) << std::endl;
}

void write_end(Runner& runner, const Ceilings& at_begin, int failed, RecordFile& file) {
    Ceilings at_end;
    try {
        at_end = runner.ceilings();
    } catch (const CudaError& lost) {  // the GPU was lost on the way: the record still ends as one
        std::cout << "no ceilings at the end: " << lost.what() << '\n';
    }
    const double drift = drift_of(at_begin, at_end);
    file.line({{"schema", kRecordSchema},
               {"kind", "end"},
               {"utc", utc_now()},
               {"ceilings", at_end.values},
               {"drift", drift},
               {"steady", drift <= 0.03},
               {"failed", failed}});
    if (drift > 0.03) std::cout << "the ceilings moved by " << 100 * drift << " % during this run\n";
}

// The cases from `progress.done` on; each process measures ceilings of its own, the first one writes them down.
int run_from(const std::vector<Case>& cases, const Arguments& arguments, std::chrono::steady_clock::time_point begin,
             RecordFile& file, Progress& progress) {
    const auto gpu = find_gpu();
    if (!gpu) return no_device();
    Runner runner(*gpu, {}, arguments.profiler);
    const Ceilings at_begin = runner.ceilings();
    if (progress.restarts == 0) {
        print(at_begin);
        file.line(to_json(facts_of(*gpu, runner, arguments), at_begin, runner.zero_copy_rows()));
        std::cout << table_head() << std::endl;
    }
    for (int at = progress.done; at < int(cases.size()); ++at) {
        progress.begin(at);
        const Case& one = cases[std::size_t(at)];
        const double minutes = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / 60;
        const Sample sample = minutes < arguments.minutes ? runner.measure(one, at_begin)
                                                          : unmeasured(one, Outcome::skipped, "out of time");
        write(sample, file);
        const bool failed = sample.outcome == Outcome::failed || sample.outcome == Outcome::refused;
        progress.finish(failed);
        if (failed && device_lost()) return kDeviceLost;
    }
    write_end(runner, at_begin, progress.failed, file);
    return progress.failed ? kFailed : 0;
}

int run(const Arguments& arguments) {
    const std::vector<Kernel> kernels = every_kernel();
    const std::vector<Case> cases = cases_of(kernels, arguments.filters);
    if (arguments.filters.empty() && !arguments.all)
        throw std::invalid_argument("run: choose kernels with --filter, or all of them with --all");
    if (cases.empty()) throw std::invalid_argument("run: no kernel is called so; `strata-kernels list` shows all");
    RecordFile file(arguments.out);
    const auto begin = std::chrono::steady_clock::now();
    return supervise([&](Progress& progress) { return run_from(cases, arguments, begin, file, progress); },
                     std::chrono::seconds(arguments.patience),
                     [&](int item, const std::string& why) {
                         write(unmeasured(cases[std::size_t(item)], Outcome::failed, why), file);
                     });
}

// Nothing but launches, for a profiler that looks from outside (ncu --profile-from-start off).
int launch(const Arguments& arguments) {
    const auto gpu = find_gpu();
    if (!gpu) return no_device();
    const std::vector<Kernel> kernels = every_kernel();
    for (const Case& one : cases_of(kernels, arguments.filters)) {
        std::cout << one.kernel->name << "  " << one.shape->shape.text() << std::endl;
        const Prepared prepared = one.kernel->prepare(one.shape->shape, 1, 1);
        check_cuda(cudaDeviceSynchronize(), "preparing operands");
        check_cuda(cudaProfilerStart(), "telling the profiler to begin");
        prepared.launch(0, nullptr);
        check_cuda(cudaDeviceSynchronize(), "running a kernel");
        check_cuda(cudaProfilerStop(), "telling the profiler to end");
    }
    return 0;
}

int chosen_verb(int argc, char** argv) {
    Arguments arguments;
    arguments.command_line = "strata-kernels";
    for (int i = 1; i < argc; ++i)
        if (argv[i] == std::string("--out"))
            ++i;  // where a file lay says nothing of what is in it
        else
            arguments.command_line += std::string(" ") + argv[i];
    CLI::App app("Measures the CUDA kernels of a DeepSeek-V4-style model on this machine's GPU.");
    app.require_subcommand(1);
    auto* lists = app.add_subcommand("list", "every kernel with its shapes");
    auto* checks = app.add_subcommand("check", "correctness only, on small shapes and edge cases");
    auto* tops = app.add_subcommand("ceilings", "what this GPU does at best: copy, links, matrix products");
    auto* tables = app.add_subcommand("table", "the table of kernels/README.md, filled from a record");
    std::vector<std::string> records;
    tables->add_option("records", records, "what `run` has written; none: nothing was measured");
    auto* runs = app.add_subcommand("run", "correctness and times on the shapes of the models");
    auto* launches = app.add_subcommand("launch", "one launch of each shape and nothing else, for another profiler");
    for (CLI::App* verb : {checks, runs, launches})
        verb->add_option("--filter", arguments.filters, "only those whose name contains this");
    for (CLI::App* verb : {checks, runs})
        verb->add_option("--patience", arguments.patience, "seconds that one shape may take")->capture_default_str();
    for (CLI::App* verb : {tops, runs}) verb->add_option("--out", arguments.out, "write the record (JSON lines) here");
    runs->add_flag("--all", arguments.all, "every kernel");
    const std::map<std::string, ProfilerUse> uses{
        {"none", ProfilerUse::none}, {"activity", ProfilerUse::activity}, {"counters", ProfilerUse::counters}};
    runs->add_option("--profiler", arguments.profiler,
                     "none: events only; activity: CUPTI's records too; counters: all")
        ->transform(CLI::CheckedTransformer(uses));
    runs->add_option("--minutes", arguments.minutes, "start nothing after this long")->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : kBadInput;
    }
    if (lists->parsed()) return list();
    if (checks->parsed()) return check(arguments);
    if (tops->parsed()) return ceilings(arguments);
    if (launches->parsed()) return launch(arguments);
    if (tables->parsed()) {
        std::cout << markdown_table(every_kernel(), records);
        return 0;
    }
    return run(arguments);
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
    try {
        return strata::chosen_verb(argc, argv);
    } catch (const std::invalid_argument& error) {
        std::cerr << "strata-kernels: " << error.what() << '\n';
        return strata::kBadInput;
    } catch (const std::exception& error) {
        std::cerr << "strata-kernels: " << error.what() << '\n';
        return strata::kInternal;
    }
}
