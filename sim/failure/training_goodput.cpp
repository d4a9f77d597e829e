#include "sim/failure/training_goodput.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <queue>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr Seconds kNever(std::numeric_limits<double>::infinity());

void check(const GoodputSpec& spec) {
    const auto refuse = [](const char* field, const char* expected, double found) {
        throw InputError(fmt::format("goodput.{}", field), expected, fmt::format("{}", found));
    };
    if (!(spec.duration > Seconds(0) && spec.duration < kNever))
        refuse("duration", "a time above 0", spec.duration.si());
    if (!(spec.interval > Seconds(0))) refuse("interval", "a time above 0", spec.interval.si());
    if (spec.spare_nodes < 0) refuse("spare_nodes", "a count that is not negative", spec.spare_nodes);
    if (spec.replicas < 1) refuse("replicas", "at least 1", spec.replicas);
    for (const Seconds time : {spec.checkpoint.pause, spec.checkpoint.until_durable, spec.checkpoint.restore,
                               spec.detection, spec.restart, spec.repair, spec.regrouping})
        if (!(time >= Seconds(0))) refuse("checkpoint, detection, restart, repair", "times not negative", time.si());
}

class Job {
public:
    explicit Job(const GoodputSpec& spec)
        : spec_(spec),
          failures_(spec.failures, spec.seed),
          chance_(~spec.seed),
          spares_(spec.spare_nodes),
          replicas_(spec.replicas),
          failure_(failures_.next()) {}

    TrainingGoodput run() {
        while (now_ < spec_.duration)
            if (!work_and_save() && now_ < spec_.duration) recover();
        result_.time.useful = done_;
        result_.goodput = done_ / spec_.duration;
        return result_;
    }

private:
    // Lets `time` pass; how much of it did. Less where a failure strikes before its end, or the run ends.
    Seconds advance(Seconds time) {
        const Seconds target = std::min(now_ + time, spec_.duration);
        while (failure_.at < target && strikes_none()) failure_ = failures_.next();
        const Seconds begun = now_;
        now_ = std::min(target, failure_.at);
        interrupted_ = failure_.at < target || now_ >= spec_.duration;
        return now_ - begun;
    }
    // A part of a replica that is not there harms nobody.
    bool strikes_none() { return replicas_ < spec_.replicas && chance_.uniform() * spec_.replicas >= replicas_; }

    // Both: false where it was interrupted.
    bool pass(Seconds time, Seconds GoodputShares::*share) {
        result_.time.*share += advance(time);
        return !interrupted_;
    }
    bool work(Seconds time) {
        const double speed = double(replicas_) / spec_.replicas;
        const Seconds worked = advance(time);
        done_ += worked * speed;
        result_.time.shrunk += worked * (1 - speed);
        return !interrupted_;
    }

    // One interval of work and its checkpoint.
    bool work_and_save() {
        for (Seconds left = spec_.interval; left > Seconds(0);) {
            if (!grow()) return false;
            const Seconds stretch = replicas_ < spec_.replicas ? std::min(left, next_repair() - now_) : left;
            if (!work(stretch)) return false;
            left = left - stretch;
        }
        if (!pass(spec_.checkpoint.pause, &GoodputShares::checkpointing)) return false;
        settle();
        pending_ = Saved{done_, now_ + spec_.checkpoint.until_durable};
        return true;
    }

    bool grow() {
        take_back_repaired();
        while (replicas_ < spec_.replicas && spares_ > 0) {
            --spares_;
            ++replicas_;
            if (!pass(spec_.regrouping, &GoodputShares::restarting)) return false;
        }
        return true;
    }

    // A checkpoint that has become durable is what a failure throws the job back to.
    void settle() {
        if (pending_ && pending_->durable_at <= now_) {
            saved_ = pending_->work;
            pending_.reset();
        }
    }

    // A failure in a restart begins another.
    void recover() {
        for (bool running = false; !running && now_ < spec_.duration;) {
            missing_ += spec_.failures[failure_.source].breaks_node;
            if (spec_.failures[failure_.source].breaks_node) repairs_.push(now_ + spec_.repair);
            failure_ = failures_.next();
            ++result_.interruptions;
            settle();
            pending_.reset();
            result_.time.lost += done_ - saved_;
            done_ = saved_;
            running = pass(spec_.detection, &GoodputShares::detecting) && fill_places() &&
                      pass(spec_.restart + spec_.checkpoint.restore, &GoodputShares::restarting);
        }
    }

    // A spare for each broken node, or one replica fewer, or a wait.
    bool fill_places() {
        for (; missing_ > 0; --missing_) {
            take_back_repaired();
            if (spares_ == 0 && spec_.elastic && replicas_ > 1) {
                --replicas_;
                continue;
            }
            for (; spares_ == 0; take_back_repaired())
                if (!pass(next_repair() - now_, &GoodputShares::waiting)) return false;
            --spares_;
        }
        return true;
    }

    Seconds next_repair() const { return repairs_.empty() ? kNever : repairs_.top(); }
    void take_back_repaired() {
        for (; next_repair() <= now_; repairs_.pop()) ++spares_;
    }

    struct Saved {
        Seconds work, durable_at;
    };
    const GoodputSpec& spec_;
    FailureProcess failures_;
    RandomStream chance_;
    int spares_, replicas_, missing_ = 0;
    bool interrupted_ = false;
    Failure failure_;  // the next
    Seconds now_, done_, saved_;
    std::optional<Saved> pending_;
    std::priority_queue<Seconds, std::vector<Seconds>, std::greater<>> repairs_;
    TrainingGoodput result_;
};

}  // namespace

TrainingGoodput simulate_goodput(const GoodputSpec& spec) {
    check(spec);
    return Job(spec).run();
}

}  // namespace strata
