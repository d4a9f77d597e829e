#include "sim/study/simulator_pool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// One strata-simulate. A socket is both its stdin and its stdout, because writing to one whose reader died can be asked
// to fail instead of raising SIGPIPE.
class Simulator {
public:
    Simulator(const std::string& program, const PointLimits& limits) {
        const std::string time = fmt::format("{}", limits.time_s), memory = fmt::format("{}", limits.memory_gb);
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::runtime_error(fmt::format("cannot make a socket: {}", std::strerror(errno)));
        process_ = fork();
        if (process_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read its answers
            dup2(ends[1], STDIN_FILENO);
            dup2(ends[1], STDOUT_FILENO);
            execl(program.c_str(), program.c_str(), "--time-limit", time.c_str(), "--memory-limit", memory.c_str(),
                  static_cast<char*>(nullptr));
            _exit(127);
        }
        socket_ = ends[0];
        close(ends[1]);
        if (process_ < 0) {
            close(socket_);
            throw std::runtime_error(fmt::format("cannot start {}: {}", program, std::strerror(errno)));
        }
    }
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;
    ~Simulator() {
        if (process_ > 0) kill(process_, SIGTERM);  // idle, or its answer is no longer wanted
        (void)ending();
        close(socket_);
    }

    int socket() const { return socket_; }
    void kill_now() { kill(process_, SIGKILL); }

    // If it cannot be sent the process is gone, and the next receive() says so.
    void send(const std::string& line) {
        const std::string text = line + "\n";
        for (std::size_t sent = 0; sent < text.size();) {
            const ssize_t count = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) return;
            sent += static_cast<std::size_t>(count);
        }
    }

    // What has come; false if the process is gone.
    bool receive() {
        char buffer[65536];
        const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
        if (count <= 0) return false;
        received_.append(buffer, static_cast<std::size_t>(count));
        return true;
    }

    bool has_line() const { return received_.find('\n') != std::string::npos; }
    std::string take_line() {
        const std::size_t end = received_.find('\n');
        std::string line = received_.substr(0, end);
        received_.erase(0, end + 1);
        return line;
    }

    // Waits for its end and says how that was.
    std::string ending() {
        if (process_ <= 0) return "";
        int status = 0;
        while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = -1;
        return WIFSIGNALED(status)
                   ? fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))
                   : fmt::format("ended with exit code {}", WEXITSTATUS(status));
    }

private:
    pid_t process_ = -1;
    int socket_ = -1;
    std::string received_;
};

using Clock = std::chrono::steady_clock;

// Short lines are sent one ahead, so that a simulator does not wait for us. Long ones are not: both sides could be
// writing then, and neither reading.
constexpr std::size_t kShortLine = 16384;

struct Worker {
    std::unique_ptr<Simulator> simulator;
    std::deque<std::size_t> lines;  // the first is in work
    Clock::time_point deadline;     // of that one
};

class Pool {
public:
    Pool(const std::string& program, int jobs, const PointLimits& limits, std::size_t lines,
         const std::function<std::string(std::size_t)>& make, const LineAnswered& answered)
        : program_(program),
          limits_(limits),
          // It makes two attempts, each within the limit; what is slow around them has a second.
          patience_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(2 * limits.time_s + 1))),
          lines_(lines),
          make_(make),
          answered_(answered),
          attempts_(lines) {
        for (std::size_t i = 0; i < lines; ++i) waiting_.push_back(i);
        workers_.resize(std::min<std::size_t>(static_cast<std::size_t>(std::max(jobs, 1)), lines));
    }

    void run() {
        while (closed_ < lines_) {
            for (const std::size_t at_most : {1u, 2u})  // nobody gets a second before all have one
                for (Worker& worker : workers_) give(worker, at_most);
            wait();
        }
    }

private:
    void give(Worker& worker, std::size_t at_most) {
        if (waiting_.empty() || worker.lines.size() >= at_most) return;
        const std::size_t line = waiting_.front();
        if (made_ != line) text_ = make_(line);
        made_ = line;
        if (!worker.lines.empty() && text_.size() > kShortLine) return;
        if (!worker.simulator) worker.simulator = std::make_unique<Simulator>(program_, limits_);
        waiting_.pop_front();
        worker.lines.push_back(line);
        if (worker.lines.size() == 1) begin(worker);
        worker.simulator->send(text_);
    }

    void begin(Worker& worker) {
        ++attempts_[worker.lines.front()];
        worker.deadline = Clock::now() + patience_;
    }

    void wait() {
        std::vector<pollfd> sockets;
        std::vector<Worker*> of_socket;
        auto first = Clock::time_point::max();
        for (Worker& worker : workers_)
            if (!worker.lines.empty()) {
                sockets.push_back({worker.simulator->socket(), POLLIN, 0});
                of_socket.push_back(&worker);
                first = std::min(first, worker.deadline);
            }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count();
        if (poll(sockets.data(), sockets.size(), static_cast<int>(std::clamp<long long>(left, 0, 1 << 30))) < 0)
            return;  // interrupted
        for (std::size_t i = 0; i < sockets.size(); ++i)
            if (sockets[i].revents != 0)
                read_from(*of_socket[i]);
            else if (Clock::now() >= of_socket[i]->deadline)
                give_up(*of_socket[i], true);
    }

    void read_from(Worker& worker) {
        if (!worker.simulator->receive()) return give_up(worker, false);
        while (!worker.lines.empty() && worker.simulator->has_line()) {
            const std::size_t line = worker.lines.front();
            worker.lines.pop_front();
            if (!worker.lines.empty()) begin(worker);
            close_line(line, nlohmann::ordered_json::parse(worker.simulator->take_line()));
        }
    }

    // The line in work is tried once more, or has failed; one that was sent ahead has had no attempt.
    void give_up(Worker& worker, bool too_slow) {
        const std::string how =
            too_slow ? fmt::format("did not answer within {} s", 2 * limits_.time_s + 1) : worker.simulator->ending();
        if (too_slow) worker.simulator->kill_now();
        worker.simulator.reset();
        const std::size_t line = worker.lines.front();
        worker.lines.pop_front();
        waiting_.insert(waiting_.begin(), worker.lines.begin(), worker.lines.end());
        worker.lines.clear();
        if (attempts_[line] < 2)
            waiting_.push_front(line);
        else
            close_line(line, {{"status", "failed"}, {"reason", program_ + " " + how}});
    }

    void close_line(std::size_t line, const nlohmann::ordered_json& answer) {
        ++closed_;
        answered_(line, answer);
    }

    const std::string& program_;
    const PointLimits& limits_;
    const Clock::duration patience_;
    const std::size_t lines_;
    const std::function<std::string(std::size_t)>& make_;
    const LineAnswered& answered_;
    std::size_t made_ = ~std::size_t{0};  // the line whose text is at hand
    std::string text_;
    std::vector<int> attempts_;
    std::deque<std::size_t> waiting_;
    std::vector<Worker> workers_;
    std::size_t closed_ = 0;
};

}  // namespace

std::string simulator_path(const std::string& given) {
    namespace fs = std::filesystem;
    const fs::path path =
        given.empty() ? fs::read_symlink("/proc/self/exe").parent_path() / "strata-simulate" : fs::path(given);
    if (access(path.c_str(), X_OK) != 0)
        throw InputError(path.string(), "the program of the systemc engine",
                         "nothing that can be run. Build it (cmake --build --preset release --target strata-simulate) "
                         "or keep to --engine analytic");
    return path.string();
}

void simulate_lines(const std::string& simulator, int jobs, const PointLimits& limits, std::size_t lines,
                    const std::function<std::string(std::size_t line)>& make, const LineAnswered& answered) {
    Pool(simulator, jobs, limits, lines, make, answered).run();
}

void simulate_lines(const std::string& simulator, int jobs, const PointLimits& limits,
                    const std::vector<std::string>& lines, const LineAnswered& answered) {
    simulate_lines(
        simulator, jobs, limits, lines.size(), [&](std::size_t line) { return lines[line]; }, answered);
}

}  // namespace strata
