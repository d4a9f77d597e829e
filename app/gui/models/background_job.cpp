#include "app/gui/models/background_job.hpp"

#include <exception>

namespace strata {

// By the rate of the last ten seconds: a study that goes on where it was has its first points for nothing.
double RemainingTime::after(double now_s, std::size_t done, std::size_t all) {
    constexpr double kLooksBack_s = 10;
    marks_.emplace_back(now_s, done);
    while (marks_.size() > 2 && now_s - marks_[1].first >= kLooksBack_s) marks_.pop_front();
    const auto [from_s, from] = marks_.size() > 1 ? marks_.front() : std::pair<double, std::size_t>(0, 0);
    return done > from ? (now_s - from_s) / double(done - from) * double(all - done) : 0;
}

BackgroundJob::~BackgroundJob() {
    cancel();
    if (thread_.joinable()) thread_.join();
}

void BackgroundJob::start(std::function<void(const Progress&)> work) {
    if (running_) return;
    if (thread_.joinable()) thread_.join();
    cancelled_ = false;
    running_ = true;
    clock_.start();
    thread_ = std::thread([this, work = std::move(work)] {
        bool stopped = false;
        QString error;
        qint64 told_ms = -1000;
        RemainingTime remaining;
        const Progress progress = [this, &told_ms, &remaining](std::size_t done, std::size_t all) {
            if (cancelled_) throw Cancelled();
            constexpr qint64 kEveryMs = 50;  // more often nobody sees, and the window would do nothing else
            const qint64 now = clock_.elapsed();
            if (done < all && now - told_ms < kEveryMs) return;
            told_ms = now;
            const double left = remaining.after(double(now) / 1e3, done, all);
            QMetaObject::invokeMethod(this, [this, done, all, left] { emit progressed(done, all, left); });
        };
        try {
            work(progress);
        } catch (const Cancelled&) {
            stopped = true;
        } catch (const std::exception& failure) {
            error = failure.what();
        }
        QMetaObject::invokeMethod(this, [this, stopped, error] {
            running_ = false;
            emit ended(stopped, error);
        });
    });
}

}  // namespace strata
