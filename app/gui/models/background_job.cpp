#include "app/gui/models/background_job.hpp"

#include <exception>

namespace strata {

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
        const Progress progress = [this, &told_ms](std::size_t done, std::size_t all) {
            if (cancelled_) throw Cancelled();
            constexpr qint64 kEveryMs = 50;  // more often nobody sees, and the window would do nothing else
            const qint64 now = clock_.elapsed();
            if (done < all && now - told_ms < kEveryMs) return;
            told_ms = now;
            const double left = done > 0 ? double(now) / 1e3 / double(done) * double(all - done) : 0;
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
