#include "sim/study/largest_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/placement/memory.hpp"
#include "sim/result/quality.hpp"

namespace strata {

namespace {

constexpr long kMostUnits = 100'000'000;  // a model without a cache would fit for ever

class BatchSearch {
public:
    BatchSearch(const Scenario& scenario, Inputs& inputs)
        : scenario_(scenario),
          inputs_(inputs),
          target_(*scenario.workload.largest_with),
          unit_(scenario.placement.dp * scenario.placement.batches()) {}

    double run() {
        check_fits(with(1));  // says what is wrong if nothing fits
        const long most = most_that_fits();
        if (holds(most)) return batch(most);
        const auto [good, bad] = bracket(most);
        if (good == 0) {
            if (monotone()) refuse();
            return scanned(most);
        }
        const long found = bisected(good, bad);
        return monotone() ? batch(found) : scanned(most);
    }

private:
    double batch(long units) const { return double(units) * unit_; }

    Scenario with(long units) const {
        Scenario point = scenario_;
        point.workload.batch = batch(units);
        return point;
    }

    bool fits(long units) const {
        try {
            check_fits(with(units));
            return true;
        } catch (const InputError&) {
            return false;
        }
    }

    // Bytes only grow with the batch.
    long most_that_fits() const {
        long good = 1, bad = 2;
        while (bad < kMostUnits && fits(bad)) good = bad, bad *= 2;
        while (bad - good > 1) {
            const long middle = good + (bad - good) / 2;
            (fits(middle) ? good : bad) = middle;
        }
        return good;
    }

    double value(long units) {
        if (const auto known = tried_.find(units); known != tried_.end()) return known->second;
        const Scenario point = with(units);
        const Program program = inputs_.program_of(point);
        const RunParts parts = RunParts::of({target_.metric});
        Run run = summarise(point, inputs_.platform(point.platform).machine, program, run_analytic(program), "", parts);
        if (parts.quality) add_quality(run, point.model, inputs_.quality());
        const auto metric = run.metrics.find(target_.metric);
        if (metric == run.metrics.end())
            throw InputError("workload.batch.largest_with", "a metric of this workload", "'" + target_.metric + "'");
        return tried_[units] = metric->second;
    }

    bool holds(long units) { return target_.holds(value(units)); }

    // The largest power of two that holds (0: none does), and the next, which does not.
    std::pair<long, long> bracket(long most) {
        long good = 0, bad = most;
        for (long units = 1; units < most; units *= 2)
            if (holds(units)) good = units, bad = std::min(2 * units, most);
        return {good, bad};
    }

    long bisected(long good, long bad) {
        while (bad - good > 1) {
            const long middle = good + (bad - good) / 2;
            (holds(middle) ? good : bad) = middle;
        }
        return good;
    }

    // Of all that was tried so far; a step back of a millionth is rounding.
    bool monotone() const {
        bool rises = true, falls = true;
        double before = tried_.begin()->second;
        for (const auto& [units, now] : tried_) {
            rises = rises && now >= before - 1e-6 * std::abs(before);
            falls = falls && now <= before + 1e-6 * std::abs(before);
            before = now;
        }
        return rises || falls;
    }

    double scanned(long most) {
        const long step = std::max(1L, most / kMostTried);
        for (long units = most; units >= 1; units -= step)
            if (holds(units)) return batch(units);
        refuse();
    }

    [[noreturn]] void refuse() {
        throw InputError("workload.batch", fmt::format("a batch with {}", target_.text),
                         fmt::format("{:.4g} at the smallest, {:.0f} sequences", value(1), batch(1)));
    }

    const Scenario& scenario_;
    Inputs& inputs_;
    const Assertion& target_;
    double unit_;
    std::map<long, double> tried_;
};

}  // namespace

double largest_batch(const Scenario& scenario, Inputs& inputs) { return BatchSearch(scenario, inputs).run(); }

}  // namespace strata
