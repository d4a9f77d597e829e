// Work on a GPU that may crash, hang or lose the device: done in a process of its own, item after item; where that
// process ends too early, another goes on behind the item that it was at.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace strata {

// Shared by the two processes.
struct Progress {
    std::atomic<int> item{-1};   // the one being worked at; none yet
    std::atomic<int> done{0};    // whose results have been written
    std::atomic<int> failed{0};  // of those
    std::atomic<int> restarts{0};
    std::atomic<std::int64_t> begun_ms{0};

    void begin(int which);
    void finish(bool failed_too);
};

// The exit code of `work` when the device is lost (a fault stays with the process): the next process goes on.
inline constexpr int kDeviceLost = 75;

// Calls `work`, which begins at `progress.done` and returns an exit code, until a process of it comes to its end; that
// code. `lost` hears, in the parent process, at which item a process ended too early or was stopped, and why.
// No CUDA call may come before it in the parent: a context does not survive fork. Throws std::runtime_error where a
// process ends too early before its first item.
int supervise(const std::function<int(Progress&)>& work, std::chrono::seconds patience,
              const std::function<void(int item, const std::string& why)>& lost);

}  // namespace strata
