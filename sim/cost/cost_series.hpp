// The times of one shape along the side that a step scales (tokens, batch, bytes), at the lengths its table holds, made
// monotone: kriging follows noise, and no op gets faster by doing more. Made at the first question and kept.
#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "sim/cost/cost_table.hpp"

namespace strata {

struct CostSeries {
    std::vector<double> at;         // log of the lead side's lengths, ascending
    std::vector<double> time;       // log of seconds on the table's device, never falling
    std::vector<double> residual;   // of that time over physics, logarithmic
    std::vector<double> deviation;  // the predictor's own

    struct Between {
        double log_time, residual, deviation;
    };
    // Log-linear between lengths; at the ends, what stands there.
    Between of(double lead) const;
};

class CostSeriesCache {
public:
    CostSeriesCache();
    // The series through `point`, its lead side aside. Safe for any number of threads; good until the thread asks
    // again.
    const CostSeries& of(const OpPoint& point, const CostTable& table);

private:
    const CostSeries* find_or_make(const OpPoint& key, const CostTable& table);

    std::uint64_t number_;  // no other cache of the process has it
    std::shared_mutex mutex_;
    std::unordered_map<OpPoint, std::unique_ptr<const CostSeries>, OpPointHash> series_;
};

}  // namespace strata
