// A thread that works on the latest request alone: what was asked before it and not yet begun is forgotten. This is
// what keeps a slider smooth, however long an answer takes.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace strata {

template <class Request>
class LatestWorker {
public:
    using Superseded = std::function<bool()>;  // whether a later request waits, or the end
    explicit LatestWorker(std::function<void(Request, const Superseded&)> work)
        : work_(std::move(work)), thread_([this] { run(); }) {}
    LatestWorker(const LatestWorker&) = delete;
    LatestWorker& operator=(const LatestWorker&) = delete;
    ~LatestWorker() {
        {
            const std::lock_guard lock(mutex_);
            ends_ = true;
        }
        wakes_.notify_one();
        thread_.join();
    }

    void submit(Request request) {
        {
            const std::lock_guard lock(mutex_);
            waiting_ = std::move(request);
        }
        wakes_.notify_one();
    }

private:
    void run() {
        const Superseded superseded = [this] {
            const std::lock_guard lock(mutex_);
            return ends_ || waiting_.has_value();
        };
        for (;;) {
            std::unique_lock lock(mutex_);
            wakes_.wait(lock, [this] { return ends_ || waiting_.has_value(); });
            if (ends_) return;
            Request request = std::move(*waiting_);
            waiting_.reset();
            lock.unlock();
            work_(std::move(request), superseded);
        }
    }

    std::function<void(Request, const Superseded&)> work_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    std::optional<Request> waiting_;
    bool ends_ = false;
    std::thread thread_;  // last: it uses all the others
};

}  // namespace strata
