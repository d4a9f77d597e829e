#include "app/measure/kernels.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "hwmodels/input_error.hpp"
#include "hwmodels/run_program.hpp"

namespace strata {

int measure_kernels(const KernelMeasuring& asked) {
    const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "strata-kernels";
    if (!std::filesystem::exists(program))
        throw InputError(
            fmt::format("{} is not there: the CUDA kernels are built where nvcc is found. On a machine with a "
                        "GPU, kernels/ builds alone (kernels/README.md)",
                        program.string()));
    std::vector<std::string> words{program.string(), "run", "--minutes", fmt::format("{}", asked.minutes)};
    if (asked.filters.empty()) words.push_back("--all");
    for (const std::string& filter : asked.filters) words.insert(words.end(), {"--filter", filter});
    if (!asked.out_file.empty()) words.insert(words.end(), {"--out", asked.out_file});
    const FinishedProgram measured = run_program(words);
    if (measured.code == 127) throw std::runtime_error(measured.said);
    if (measured.code > 128)
        throw std::runtime_error(fmt::format("{} ended by signal {}", program.string(), measured.code - 128));
    return measured.code;
}

}  // namespace strata
