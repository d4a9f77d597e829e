#include "sim/engine/systemc/forked_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace strata {

namespace {

// False once nobody reads.
bool send_line(int to, std::string text) {
    text += '\n';
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t count = send(to, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (count < 0) return false;
        sent += static_cast<std::size_t>(count);
    }
    return true;
}

// What has come is added; false at the end.
bool receive_some(int from, std::string& text) {
    char buffer[65536];
    const ssize_t count = recv(from, buffer, sizeof buffer, 0);
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
}

// The copy's whole life.
[[noreturn]] void serve(int socket, const std::function<std::string(const std::string&)>& answer) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read its answers
    try {
        for (std::string line; receive_some(socket, line);) {
            if (!line.ends_with('\n')) continue;  // one is asked at a time
            line.pop_back();
            if (!send_line(socket, answer(line))) break;
            line.clear();
        }
    } catch (...) {
        _exit(3);
    }
    _exit(0);  // no destructors: buffers and files belong to the parent
}

}  // namespace

ForkedServer::ForkedServer(const std::function<std::string(const std::string&)>& answer) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw std::runtime_error(fmt::format("cannot make a socket: {}", std::strerror(errno)));
    process_ = fork();
    if (process_ == 0) {
        close(ends[0]);
        serve(ends[1], answer);
    }
    close(ends[1]);
    socket_ = ends[0];
    if (process_ < 0) {
        close(socket_);
        throw std::runtime_error(fmt::format("cannot start a process: {}", std::strerror(errno)));
    }
}

ForkedServer::~ForkedServer() {
    if (process_ > 0) kill(process_, SIGKILL);
    (void)ending();
    close(socket_);
}

std::string ForkedServer::ask(const std::string& line, double time_s) {
    std::string text;
    if (send_line(socket_, line) && !receive(time_s, text)) {
        kill(process_, SIGKILL);
        throw std::runtime_error(fmt::format("took longer than the time limit of {} s", time_s));
    }
    if (!text.ends_with('\n')) throw std::runtime_error("the simulating process " + ending());
    text.pop_back();
    return text;
}

// Until a line is whole or there will be no more; false if the time is over first.
bool ForkedServer::receive(double time_s, std::string& text) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::duration<double>(time_s);
    while (!text.ends_with('\n')) {
        const double left_ms = std::chrono::duration<double, std::milli>(deadline - Clock::now()).count();
        if (left_ms <= 0) return false;
        pollfd waiting{socket_, POLLIN, 0};
        if (poll(&waiting, 1, static_cast<int>(std::min(left_ms + 1, 1e6))) <= 0) continue;
        if (!receive_some(socket_, text)) return true;
    }
    return true;
}

std::string ForkedServer::ending() {
    if (process_ <= 0) return "is gone";
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    if (WIFSIGNALED(status))
        return fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace strata
