// `strata` as a process that can be killed, in a folder of its own, with no figures to draw: programs are copied there
// without strata-print. The date of reports stands still.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/scratch_folder.hpp"

namespace strata {

class StrataPrograms {
public:
    StrataPrograms() {
        for (const char* name : {"strata", "strata-simulate"})
            std::filesystem::copy_file(std::string(STRATA_BINARY_DIR "/") + name, folder_ / name);
    }

    // Its process, running `strata ARGUMENTS` in `folder`; what it prints goes to stdout.txt and stderr.txt there.
    pid_t start(const std::string& folder, std::vector<std::string> arguments) const {
        std::filesystem::create_directories(folder);
        arguments.insert(arguments.begin(), folder_ / "strata");
        std::vector<char*> words;
        for (std::string& argument : arguments) words.push_back(argument.data());
        words.push_back(nullptr);
        const pid_t process = fork();
        if (process != 0) return process;
        if (chdir(folder.c_str()) != 0 || !std::freopen("stdout.txt", "w", stdout) ||
            !std::freopen("stderr.txt", "w", stderr))
            _exit(126);
        setenv("SOURCE_DATE_EPOCH", "1790000000", 1);
        execv(words.front(), words.data());
        _exit(127);
    }

    int run(const std::string& folder, const std::vector<std::string>& arguments) const {
        return ended(start(folder, arguments));
    }

    static int ended(pid_t process) {
        int status = 0;
        waitpid(process, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    ScratchFolder folder_;
};

inline std::string content(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace strata
