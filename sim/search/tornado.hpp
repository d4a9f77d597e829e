// How far one metric of a point swings, one input at a time from low to high: each hardware number of the platform,
// divided and multiplied by 1 + `by`, each source of error of the cost book, from its p10 to its p90, and the law or
// list that a metric comes from where that has a band. Each bar but that is the point run again; the widest stands
// first.
#pragma once

#include <string>
#include <vector>

#include "sim/study/study.hpp"

namespace strata {

struct Swing {
    std::string input;         // "HBM bandwidth", "moe_experts (interpolated)"
    std::string range;         // "/ 1.1 to x 1.1", "p10 to p90"
    double low = 0, high = 0;  // the metric with the input at its low and at its high end
    std::string obstacle{};    // why there is no bar: a changed point does not run
    double width() const { return high > low ? high - low : low - high; }
};

struct Tornado {
    std::string metric;
    double base = 0, by = 0;
    std::vector<Swing> swings;           // widest first, then those that do not run
    std::vector<std::string> unknown{};  // resources that the catalogue has no number of
    double unknown_share = 0;            // of the step: time of which nobody knows how far off it may be
};

struct TornadoOptions {
    std::string metric;
    double by = 0.1;
};

// Of a step (decode, prefill) by the analytic engine; throws InputError for any other point.
Tornado tornado_of(const ScenarioFile& file, const Point& point, const Run& base, const TornadoOptions& asked,
                   const StudyOptions& options);

}  // namespace strata
