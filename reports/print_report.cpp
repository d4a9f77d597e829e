#include "reports/print_report.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <vector>

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

std::string print_report(const fs::path& report, const fs::path& pdf, const fs::path& figures) {
    const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "strata-print";
    if (!fs::exists(program)) return "figures and PDF need strata-print (Qt6, QCustomPlot): not built here";
    const int status =
        status_of({program.string(), "report", report.string(), "--pdf", pdf.string(), "--figures", figures.string()});
    if (status != 0)
        throw std::runtime_error(fmt::format("strata-print failed (exit status {}); all else is written", status));
    return {};
}

}  // namespace strata
