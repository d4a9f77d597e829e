#include "reports/collective_view.hpp"

#include <algorithm>

#include "reports/study_view.hpp"

namespace strata {

bool is_collective(const Study& study) { return some_has(study, "collective.time_us"); }

std::vector<AccessColumn> collective_columns(const Study& study) {
    static const std::vector<AccessColumn> all{{"collective.time_us", "time [us]", 1, 1},
                                               {"collective.algorithm_bandwidth_GBps", "algbw [GB/s]", 1, 1},
                                               {"collective.bus_bandwidth_GBps", "busbw [GB/s]", 1, 1},
                                               {"collective.wire_us", "wire [us]", 1, 1},
                                               {"collective.latency_us", "latency [us]", 1, 1},
                                               {"collective.waiting_us", "waiting [us]", 1, 1},
                                               {"collective.busiest_link_share", "busiest link [%]", 100, 0},
                                               {"fabric.bisection_GBps", "bisection [GB/s]", 1, 0},
                                               {"fabric.switches", "switches", 1, 0},
                                               {"fabric.usd_per_endpoint", "$/endpoint", 1, 0}};
    std::vector<AccessColumn> columns;
    std::copy_if(all.begin(), all.end(), std::back_inserter(columns), [&](const AccessColumn& column) {
        return std::any_of(study.results.begin(), study.results.end(), [&](const PointResult& result) {
            return ran(result) && result.run->metrics.count(column.metric) &&
                   result.run->metrics.at(column.metric) != 0;
        });
    });
    return columns;
}

}  // namespace strata
