#include "app/measure/kernels.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstring>
#include <filesystem>

#include "hwmodels/input_error.hpp"

extern char** environ;

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
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t child = 0;
    int status = 0;
    if (const int error = posix_spawn(&child, program.c_str(), nullptr, nullptr, pointers.data(), environ); error != 0)
        throw std::runtime_error(fmt::format("{} cannot be started: {}", program.string(), std::strerror(error)));
    if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        throw std::runtime_error(fmt::format("{} ended by signal {}", program.string(), WTERMSIG(status)));
    return WEXITSTATUS(status);
}

}  // namespace strata
