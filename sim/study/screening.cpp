#include "sim/study/screening.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "sim/scenario/point_reader.hpp"
#include "sim/study/allocation_of.hpp"
#include "sim/study/point_runner.hpp"
#include "sim/study/point_store.hpp"

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
    explicit Chunks(PointRange part) : points_(part.to), next_(part.from) {}

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
    std::atomic<std::size_t> next_, done_ = 0;
    std::mutex mutex_;
    std::size_t at_ = 0;
    std::exception_ptr error_;
};

// Everything that one thread needs, shared with no other but the cost book, which locks.
class Screener {
public:
    Screener(const ScenarioFile& file, const StudyOptions& options, const std::vector<std::string>& metrics,
             std::shared_ptr<const CostBook> costs, const std::optional<PointKeys>& keys)
        : study_(file.name()),
          runner_(options.root, std::move(costs)),
          reader_(file, runner_.catalog()),
          law_(allocation_law_of(file, options.root)),
          parts_(RunParts::of(metrics)),
          store_(options.store.get()) {
        if (keys) keys_ = keys->apart();
    }

    void run(Chunks& work, Screened& screened, const std::function<void()>& after_each_chunk) {
        for (std::size_t from = 0, to = 0; work.take(from, to); work.finished(to - from), after_each_chunk()) {
            std::size_t point = from;
            try {
                const auto known = known_of(from, to, screened);
                for (; point < to; ++point)
                    if (!known.empty() && known[point - from])
                        take(point, *known[point - from], screened);
                    else
                        run_point(point, screened);
                keep_new(screened);
            } catch (...) {
                return work.stop(point, std::current_exception());
            }
        }
        work.count(obstacles_, screened);
    }

private:
    // What the store knows of a chunk; empty without a store.
    std::vector<std::optional<KeptPoint>> known_of(std::size_t from, std::size_t to, const Screened& screened) {
        if (!store_) return {};
        chunk_keys_.clear();
        chunk_begin_ = from;
        for (std::size_t point = from; point < to; ++point)
            chunk_keys_.push_back(keys_->of(screened.plan().settings(point), "analytic"));
        return store_->numbers(chunk_keys_, screened.metrics());
    }

    void take(std::size_t point, const KeptPoint& known, Screened& screened) {
        if (known.status == PointStatus::ok)
            screened.keep(point, known.numbers);
        else
            ++obstacles_[without_digits(known.reason)];
    }

    void run_point(std::size_t point, Screened& screened) {
        Settings settings = screened.plan().settings(point);
        const Scenario& read = reader_.read(settings);
        KeptPoint kept;
        std::optional<Scenario> settled;
        if (!is_settled(read)) kept.reason = runner_.settle(settled.emplace(read));
        try {
            if (kept.reason.empty()) kept.numbers = numbers_of(settled ? *settled : read, screened.metrics());
        } catch (const InputError& error) {
            kept.reason = error.what();
        }
        if (!kept.reason.empty()) kept.status = PointStatus::infeasible;
        take(point, kept, screened);
        if (!store_) return;
        kept.key = chunk_keys_[point - chunk_begin_];
        kept.settings = std::move(settings);
        new_.push_back(std::move(kept));
    }

    std::vector<double> numbers_of(const Scenario& scenario, const std::vector<std::string>& metrics) {
        Run run = runner_.run(scenario, parts_);
        if (parts_.quality) add_quality(run, scenario, law_);
        std::vector<double> numbers;
        for (const std::string& name : metrics) {
            const auto metric = run.metrics.find(name);
            numbers.push_back(metric == run.metrics.end() ? kUnknown : metric->second);
        }
        return numbers;
    }

    void keep_new(const Screened& screened) {
        if (new_.empty()) return;
        RowShape shape{.study = study_, .engine = "analytic", .metrics = screened.metrics()};
        for (const auto& setting : new_.front().settings) shape.axes.push_back(setting.first);
        store_->keep(shape, std::move(new_));
        new_.clear();
    }

    std::string study_;
    PointRunner runner_;
    PointReader reader_;
    AllocationLaw law_;
    RunParts parts_;
    std::map<std::string, std::size_t> obstacles_;
    PointStore* store_;
    std::optional<PointKeys> keys_;  // with a store alone
    std::vector<PointKey> chunk_keys_;
    std::size_t chunk_begin_ = 0;
    std::vector<KeptPoint> new_;
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

void Screened::keep(std::size_t point, const std::vector<double>& numbers) {
    ran_[point] = 1;
    std::copy(numbers.begin(), numbers.end(), values_.begin() + static_cast<std::ptrdiff_t>(point * metrics_.size()));
}

Screened screen(const ScenarioFile& file, PointPlan plan, std::vector<std::string> metrics, const StudyOptions& options,
                PointRange part) {
    const auto begin = std::chrono::steady_clock::now();
    Screened screened(std::move(plan), std::move(metrics));
    part.to = std::min(part.to, screened.size());
    const std::size_t all = part.to - std::min(part.from, part.to);
    Chunks work(part);
    const auto costs = std::make_shared<const CostBook>(CostBook::of(options.root));
    const std::size_t threads = std::clamp<std::size_t>(static_cast<std::size_t>(options.jobs), 1, all / kChunk + 1);
    std::optional<PointKeys> keys;
    if (options.store) keys.emplace(file, options.store->inputs_of(options.root));
    std::vector<std::unique_ptr<Screener>> screeners;  // made here: documents are copied from the one `file`
    for (std::size_t i = 0; i < threads; ++i)
        screeners.push_back(std::make_unique<Screener>(file, options, screened.metrics(), costs, keys));
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < threads; ++i)
            others.emplace_back([&, i] { screeners[i]->run(work, screened, [] {}); });
        screeners.front()->run(work, screened, [&] {
            if (options.progress) options.progress(work.done(), all);
        });
    }
    work.throw_if_stopped();
    if (options.store) options.store->flush();
    if (options.progress) options.progress(all, all);
    screened.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return screened;
}

}  // namespace strata
