// What a series of times says: medians, since a preempted sample must not move the answer.
#pragma once

#include <vector>

namespace strata {

struct Spread {
    double median = 0, min = 0, p05 = 0, p95 = 0, mean = 0, deviation = 0;
    double mad = 0;  // median absolute deviation from the median
    int n = 0;
};

// Throws std::logic_error for an empty series.
Spread spread_of(std::vector<double> samples);

// How far the medians of the even and the odd samples lie apart, relative to their mean: two measurements of the same
// thing, taken at the same time. A difference between kernels below twice this is noise.
double noise_of(const std::vector<double>& samples);

}  // namespace strata
