#include "sim/study/largest_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/serving/serving_engine.hpp"

namespace strata {

namespace {

double value_of(const Run& run, const Assertion& target, const char* field) {
    const auto metric = run.metrics.find(target.metric);
    if (metric == run.metrics.end())
        throw InputError(fmt::format("{}.largest_with", field), "a metric of serving", "'" + target.metric + "'");
    return metric->second;
}

// Rates are 2^(k / kSteps) a second, so that a search finds the same one however it came there.
class RateSearch {
public:
    RateSearch(const Scenario& scenario, Inputs& inputs)
        : deployment_(scenario, inputs), target_(*scenario.serving->rate_with) {}

    double run() {
        const std::optional<int> above = largest_power_from(0);
        int good = above ? *above : largest_power_below(0);
        for (int bad = good + kSteps; bad - good > 1;) {
            const int middle = good + (bad - good) / 2;
            (holds(middle) ? good : bad) = middle;
        }
        return rate(good);
    }

private:
    static constexpr int kSteps = 128;  // of a factor of two: 0.5 %

    struct Tried {
        double value;
        double answered;  // a second
        double met;       // requests that are there at a time, on average (Little's law)
    };

    static double rate(int k) { return std::exp2(double(k) / kSteps); }

    const Tried& at(int k) {
        const auto [known, is_new] = tried_.try_emplace(k);
        if (is_new) {
            const Run run = deployment_.run_at(rate(k));
            known->second = {.value = value_of(run, target_, "workload.rate"),
                             .answered = run.metrics.at("serving.requests_per_s"),
                             .met = run.metrics.at("serving.end_to_end_ms") * 1e-3 * rate(k)};
        }
        return known->second;
    }

    bool holds(int k) { return target_.holds(at(k).value); }

    // Of the powers of two from this one up; once requests come faster than they are answered more makes all wait.
    std::optional<int> largest_power_from(int k) {
        constexpr double kOverload = 4, kAtOnce = 1e-6;  // seconds for all of them
        std::optional<int> good;
        for (; holds(k) || rate(k) < kOverload * at(k).answered; k += kSteps) {
            if (holds(k)) good = k;
            if (double(deployment_.requests()) / rate(k) < kAtOnce)
                throw InputError("workload.rate", fmt::format("a target that some rate breaks, not {}", target_.text),
                                 fmt::format("{:.4g} where all {} requests come at once: more of them would tell",
                                             at(k).value, deployment_.requests()));
        }
        return good;
    }

    int largest_power_below(int k) {
        constexpr double kAlone = 0.1;
        while (!holds(k)) {
            if (at(k).met < kAlone)
                throw InputError("workload.rate", fmt::format("a rate with {}", target_.text),
                                 fmt::format("{:.4g} at {:.4g} requests a second, where they hardly ever meet",
                                             at(k).value, rate(k)));
            k -= kSteps;
        }
        return k;
    }

    ServingDeployment deployment_;
    const Assertion target_;
    std::map<int, Tried> tried_;
};

class ConcurrencySearch {
public:
    ConcurrencySearch(const Scenario& scenario, Inputs& inputs)
        : scenario_(scenario),
          inputs_(inputs),
          target_(*scenario.serving->concurrency_with),
          requests_(static_cast<int>(ServingDeployment(scenario, inputs).requests())) {}

    int run() {
        (void)value(1);  // says what is wrong if nothing runs
        int most = 1;
        while (most < requests_ && runs(2 * most)) most *= 2;
        int good = 0, bad = 0;
        for (int users = 1; users <= most; users *= 2)
            if (holds(users)) good = users, bad = 2 * users;
        if (good == 0)
            throw InputError("workload.concurrency", fmt::format("a concurrency with {}", target_.text),
                             fmt::format("{:.4g} at 1", value(1)));
        if (good >= requests_) return requests_;
        while (bad - good > 1) {
            const int middle = good + (bad - good) / 2;
            (runs(middle) && holds(middle) ? good : bad) = middle;
        }
        return std::min(good, requests_);
    }

private:
    double value(int users) {
        const auto [known, is_new] = tried_.try_emplace(users);
        if (is_new) {
            Scenario point = scenario_;
            point.serving->concurrency = users;
            known->second = value_of(run_serving(point, inputs_), target_, "workload.concurrency");
        }
        return known->second;
    }
    bool holds(int users) { return target_.holds(value(users)); }

    // A batch may be more than a step's tokens.
    bool runs(int users) {
        try {
            (void)value(users);
            return true;
        } catch (const InputError&) {
            tried_.erase(users);
            return false;
        }
    }

    const Scenario& scenario_;
    Inputs& inputs_;
    const Assertion& target_;
    int requests_;  // more sequences than these there never are
    std::map<int, double> tried_;
};

}  // namespace

double largest_rate(const Scenario& scenario, Inputs& inputs) { return RateSearch(scenario, inputs).run(); }

int largest_concurrency(const Scenario& scenario, Inputs& inputs) { return ConcurrencySearch(scenario, inputs).run(); }

}  // namespace strata
