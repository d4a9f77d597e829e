#include "sim/study/screening.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "sim/study/point_runner.hpp"

namespace strata {

namespace {

constexpr std::size_t kChunk = 64;  // points that a thread takes at a time

// "needs 153 GB, has 141" and "needs 154 GB, has 141" are one reason.
std::string without_digits(const std::string& reason) {
    std::string text;
    for (const char c : reason) {
        const bool number = (c >= '0' && c <= '9') || (c == '.' && text.ends_with('#'));
        if (!number)
            text += c;
        else if (!text.ends_with('#'))
            text += '#';
    }
    return text;
}

// What the threads share: the next point, and the first that cannot be read.
class Chunks {
public:
    explicit Chunks(std::size_t points) : points_(points) {}

    bool take(std::size_t& from, std::size_t& to) {
        from = next_.fetch_add(kChunk);
        to = std::min(from + kChunk, points_);
        return from < points_;
    }
    void finished(std::size_t points) { done_ += points; }
    std::size_t done() const { return done_; }
    void stop(std::size_t point, std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        if (error_ && point > at_) return;
        at_ = point;
        error_ = std::move(error);
        next_ = points_;
    }
    void throw_if_stopped() const {
        if (error_) std::rethrow_exception(error_);
    }
    void count(const std::map<std::string, std::size_t>& obstacles, Screened& screened) {
        const std::lock_guard lock(mutex_);
        for (const auto& [reason, points] : obstacles) screened.obstacles[reason] += points;
    }

private:
    std::size_t points_;
    std::atomic<std::size_t> next_ = 0, done_ = 0;
    std::mutex mutex_;
    std::size_t at_ = 0;
    std::exception_ptr error_;
};

// Everything that one thread needs, shared with no other but the cost book, which locks.
class Screener {
public:
    Screener(const ScenarioFile& file, const std::string& root, std::shared_ptr<const CostBook> costs)
        : file_(file.apart()), runner_(root, std::move(costs)), law_(root + "/sim/quality/allocation_anchors.yaml") {}

    void run(Chunks& work, Screened& screened, const std::function<void()>& after_each_chunk) {
        for (std::size_t from = 0, to = 0; work.take(from, to); work.finished(to - from), after_each_chunk())
            for (std::size_t point = from; point < to; ++point) {
                try {
                    run_point(point, screened);
                } catch (...) {
                    return work.stop(point, std::current_exception());
                }
            }
        work.count(obstacles_, screened);
    }

private:
    void run_point(std::size_t point, Screened& screened) {
        Scenario scenario = file_.read(file_.point_with(screened.plan().settings(point)), runner_.catalog());
        std::string obstacle = runner_.settle(scenario);
        try {
            if (obstacle.empty()) {
                Run run = runner_.run(scenario);
                add_quality(run, scenario, law_);
                return screened.keep(point, run);
            }
        } catch (const InputError& error) {
            obstacle = error.what();
        }
        ++obstacles_[without_digits(obstacle)];
    }

    ScenarioFile file_;
    PointRunner runner_;
    AllocationLaw law_;
    std::map<std::string, std::size_t> obstacles_;
};

}  // namespace

void add_quality(Run& run, const Scenario& scenario, const AllocationLaw& law) {
    if (!scenario.allocated) return;
    const auto loss = law.loss(scenario.rho, scenario.model.name);
    if (!loss) return;
    run.metrics["quality.loss"] = loss->loss;
    run.metrics["quality.loss_low"] = loss->low;
    run.metrics["quality.loss_high"] = loss->high;
}

double Screened::value(std::size_t point, const std::string& metric) const {
    const auto found = std::find(metrics_.begin(), metrics_.end(), metric);
    return found == metrics_.end() ? kUnknown : value(point, static_cast<std::size_t>(found - metrics_.begin()));
}

void Screened::keep(std::size_t point, const Run& run) {
    ran_[point] = 1;
    for (std::size_t i = 0; i < metrics_.size(); ++i)
        if (const auto metric = run.metrics.find(metrics_[i]); metric != run.metrics.end())
            values_[point * metrics_.size() + i] = metric->second;
}

Screened screen(const ScenarioFile& file, PointPlan plan, std::vector<std::string> metrics,
                const StudyOptions& options) {
    const auto begin = std::chrono::steady_clock::now();
    Screened screened(std::move(plan), std::move(metrics));
    Chunks work(screened.size());
    const auto costs = std::make_shared<const CostBook>(CostBook::of(options.root));
    const std::size_t threads =
        std::clamp<std::size_t>(static_cast<std::size_t>(options.jobs), 1, screened.size() / kChunk + 1);
    std::vector<std::unique_ptr<Screener>> screeners;  // made here: documents are copied from the one `file`
    for (std::size_t i = 0; i < threads; ++i)
        screeners.push_back(std::make_unique<Screener>(file, options.root, costs));
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < threads; ++i)
            others.emplace_back([&, i] { screeners[i]->run(work, screened, [] {}); });
        screeners.front()->run(work, screened, [&] {
            if (options.progress) options.progress(work.done(), screened.size());
        });
    }
    work.throw_if_stopped();
    if (options.progress) options.progress(screened.size(), screened.size());
    screened.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return screened;
}

}  // namespace strata
