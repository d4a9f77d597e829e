#include "kernels/bench/supervise.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace strata {

namespace {

std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

class Shared {
public:
    Shared() {
        void* const page = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "sharing memory");
        progress_ = new (page) Progress;
    }
    ~Shared() { munmap(progress_, sizeof(Progress)); }
    Shared(const Shared&) = delete;
    Progress& operator*() const { return *progress_; }

private:
    Progress* progress_;
};

// Where a process crashes is said before it ends: addresses that nm or addr2line understand.
void say_where(int signal) {
    constexpr int kFrames = 32;
    void* frames[kFrames];
    backtrace_symbols_fd(frames, backtrace(frames, kFrames), STDERR_FILENO);
    raise(signal);
}

void say_where_it_crashes() {
    struct sigaction action {};
    action.sa_handler = say_where;
    action.sa_flags = int(SA_RESETHAND | SA_NODEFER);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

// How the process ended, or was made to end after an item took longer than `patience`.
struct End {
    int code = 0;
    std::string early{};  // why, where it did not come to its end
};

End end_of(pid_t child, const Progress& progress, std::chrono::seconds patience) {
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (now_ms() - progress.begun_ms > std::int64_t(patience.count()) * 1000) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return {.early = "not over after " + std::to_string(patience.count()) + " s: stopped"};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (WIFSIGNALED(status)) return {.early = std::string("crashed: ") + strsignal(WTERMSIG(status))};
    if (WEXITSTATUS(status) == kDeviceLost) return {.code = kDeviceLost, .early = "the device was lost"};
    return {.code = WEXITSTATUS(status)};
}

}  // namespace

void Progress::begin(int which) {
    item = which;
    begun_ms = now_ms();
}

void Progress::finish(bool failed_too) {
    failed += failed_too;
    ++done;
    begun_ms = now_ms();
}

int supervise(const std::function<int(Progress&)>& work, std::chrono::seconds patience,
              const std::function<void(int item, const std::string& why)>& lost) {
    const Shared shared;
    Progress& progress = *shared;
    while (true) {
        std::cout.flush();
        progress.begin(-1);
        const pid_t child = fork();
        if (child < 0) throw std::system_error(errno, std::generic_category(), "starting a process");
        if (child == 0) {
            say_where_it_crashes();
            const int code = work(progress);
            std::cout.flush();
            _exit(code);  // not through destructors of a device that may be lost
        }
        const End end = end_of(child, progress, patience);
        if (end.early.empty()) return end.code;
        if (progress.item < 0) throw std::runtime_error("before the first item: " + end.early);
        if (progress.done == progress.item) {  // its result was not written
            lost(progress.item, end.early);
            progress.finish(true);
        }
        ++progress.restarts;
    }
}

}  // namespace strata
