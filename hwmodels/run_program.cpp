#include "hwmodels/run_program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

extern char** environ;

namespace strata {

namespace {

// Closed in the child when its program begins.
class Pipe {
public:
    Pipe() {
        if (pipe2(ends_, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    }
    ~Pipe() {
        close_writing();
        close(ends_[0]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    int writing() const { return ends_[1]; }
    void close_writing() {
        if (ends_[1] >= 0) close(ends_[1]);
        ends_[1] = -1;
    }
    std::string read_all() {
        std::string text;
        char buffer[4096];
        for (ssize_t count; (count = read(ends_[0], buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR);)
            if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
        return text;
    }

private:
    int ends_[2]{-1, -1};
};

class Streams {
public:
    Streams() { posix_spawn_file_actions_init(&actions_); }
    ~Streams() { posix_spawn_file_actions_destroy(&actions_); }
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    void lead(int stream, const Pipe& to) { posix_spawn_file_actions_adddup2(&actions_, to.writing(), stream); }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

int code_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

FinishedProgram run_program(const std::vector<std::string>& words, Kept kept) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    Pipe pipe;
    Streams streams;
    if (kept != Kept::nothing) streams.lead(STDOUT_FILENO, pipe);
    if (kept == Kept::output_and_errors) streams.lead(STDERR_FILENO, pipe);
    pid_t child = 0;
    if (const int error = posix_spawnp(&child, arguments.front(), streams.get(), nullptr, arguments.data(), environ))
        return {127, words.front() + ": " + std::strerror(error)};
    pipe.close_writing();
    FinishedProgram finished;
    finished.said = pipe.read_all();
    finished.code = code_of(child);
    return finished;
}

}  // namespace strata
