// Long work in a thread of its own, with progress, an estimate of what is left, and an end before its time. What is
// made goes into what the work captured; `ended` says that it can be looked at.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <atomic>
#include <deque>
#include <functional>
#include <thread>

namespace strata {

// Thrown out of a progress report when nobody wants the rest.
struct Cancelled {};

class RemainingTime {
public:
    double after(double now_s, std::size_t done, std::size_t all);  // seconds

private:
    std::deque<std::pair<double, std::size_t>> marks_;  // when, and how many were done
};

class BackgroundJob : public QObject {
    Q_OBJECT
public:
    using Progress = std::function<void(std::size_t done, std::size_t all)>;

    explicit BackgroundJob(QObject* parent = nullptr) : QObject(parent) {}
    ~BackgroundJob() override;

    void start(std::function<void(const Progress&)> work);  // not while one runs
    void cancel() { cancelled_ = true; }
    bool is_running() const { return running_; }

signals:
    void progressed(qulonglong done, qulonglong all, double seconds_left);
    void ended(bool cancelled, QString error);  // error: empty where all went well

private:
    std::thread thread_;
    std::atomic<bool> cancelled_ = false;
    bool running_ = false;
    QElapsedTimer clock_;
};

}  // namespace strata
