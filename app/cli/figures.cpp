#include "app/cli/figures.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "reports/files.hpp"
#include "reports/render/chart_json.hpp"

extern char** environ;

namespace strata {

namespace {

namespace fs = std::filesystem;

// The child's exit status; its complaints go to our stderr.
int status_of(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    if (const int error = posix_spawn(&child, command.front().c_str(), nullptr, nullptr, arguments.data(), environ))
        throw std::system_error(error, std::generic_category(), "cannot start " + command.front());
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string write_figures(const std::vector<Chart>& charts, const fs::path& folder) {
    const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "strata-print";
    if (!fs::exists(program)) return "figures need strata-print (Qt6, QCustomPlot): not built here";
    for (const Chart& chart : charts) {
        if (fs::path(chart.name).filename() != chart.name)  // nothing is written outside of the folder
            throw std::logic_error("a chart's name is a file's name, not '" + chart.name + "'");
        const fs::path description = folder / (chart.name + ".chart.json");
        write_whole(description, to_json(chart).dump(1) + "\n");
        const int status = status_of({program.string(), description.string(), (folder / (chart.name + ".svg")).string(),
                                      (folder / (chart.name + ".png")).string()});
        fs::remove(description);
        if (status != 0)
            throw std::runtime_error(
                fmt::format("strata-print failed on '{}' (exit status {}); all else is written", chart.name, status));
    }
    return {};
}

}  // namespace strata
