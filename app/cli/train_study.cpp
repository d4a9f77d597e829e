#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "app/measure/machine.hpp"
#include "hwmodels/input_error.hpp"
#include "hwmodels/run_program.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

// Of the sources that this was built from: "7ade1ca", with "-dirty" where tracked files differ; "unknown" without git.
std::string commit_of(const std::string& root) {
    const FinishedProgram git =
        run_program({"git", "-C", root, "describe", "--always", "--dirty", "--exclude", "*"}, Kept::output_and_errors);
    return git.code == 0 ? git.said.substr(0, git.said.find('\n')) : "unknown";
}

// For a column of a CSV.
std::string machine_text() {
    const MeasuredMachine machine = this_machine();
    std::string text =
        fmt::format("{}; {} cores; {:.0f} GB; one thread", machine.cpu, machine.cores, machine.memory.si() / 1e9);
    std::replace(text.begin(), text.end(), ',', ' ');
    return text;
}

// OpenBLAS takes a processor that it does not know for one of 2004, eight times slower: it is told what the processor
// says of itself. An OPENBLAS_CORETYPE of the user's stays.
void name_the_core() {
    std::ifstream cpu("/proc/cpuinfo");
    const auto has = [](const std::string& line, const char* flag) { return line.find(flag) != std::string::npos; };
    for (std::string line; std::getline(cpu, line);) {
        if (line.rfind("flags", 0) != 0) continue;
        if (has(line, " avx512vl"))
            setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
        else if (has(line, " avx2"))
            setenv("OPENBLAS_CORETYPE", "Haswell", 0);
        return;
    }
}

}  // namespace

int train_study_verb(const TrainStudyArguments& arguments, const std::string& root) {
    const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "strata-train";
    if (!fs::exists(program))
        throw InputError(
            fmt::format("{} is not there: it is built where libtorch is. Install libtorch-dev and libopenblas0-serial "
                        "(tools/install-packages.sh does), then configure and build again",
                        program.string()));
    nlohmann::json asked{
        {"out", arguments.out_file},          {"budgets", arguments.budgets}, {"residuals", arguments.residuals},
        {"optimisers", arguments.optimisers}, {"rhos", arguments.rhos},       {"seeds", arguments.seeds},
        {"commit", commit_of(root)},          {"machine", machine_text()},    {"quiet", std::clog.rdbuf() == nullptr}};
    if (arguments.smoke) asked.update({{"budgets", {"smoke"}}, {"rhos", {1, 0.8}}});
    name_the_core();
    setenv("OMP_NUM_THREADS", "1", 1);
    execl(program.c_str(), program.c_str(), asked.dump().c_str(), static_cast<char*>(nullptr));
    throw std::runtime_error(fmt::format("{} cannot be started: {}", program.string(), std::strerror(errno)));
}

}  // namespace strata
