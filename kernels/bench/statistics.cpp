#include "kernels/bench/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace strata {

namespace {

// Of sorted values, interpolated between neighbours.
double quantile(const std::vector<double>& sorted, double share) {
    const double at = share * double(sorted.size() - 1);
    const auto below = std::size_t(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - double(below)) * (sorted[above] - sorted[below]);
}

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return quantile(values, 0.5);
}

}  // namespace

Spread spread_of(std::vector<double> samples) {
    if (samples.empty()) throw std::logic_error("spread_of: no samples");
    std::sort(samples.begin(), samples.end());
    Spread spread{.median = quantile(samples, 0.5),
                  .min = samples.front(),
                  .p05 = quantile(samples, 0.05),
                  .p95 = quantile(samples, 0.95),
                  .n = int(samples.size())};
    for (const double sample : samples) spread.mean += sample / spread.n;
    for (const double sample : samples) spread.deviation += (sample - spread.mean) * (sample - spread.mean);
    spread.deviation = spread.n > 1 ? std::sqrt(spread.deviation / (spread.n - 1)) : 0;
    for (double& sample : samples) sample = std::abs(sample - spread.median);
    spread.mad = median_of(samples);
    return spread;
}

double noise_of(const std::vector<double>& samples) {
    std::vector<double> halves[2];
    for (std::size_t i = 0; i < samples.size(); ++i) halves[i % 2].push_back(samples[i]);
    if (halves[1].empty()) return 0;
    const double even = median_of(halves[0]), odd = median_of(halves[1]);
    return std::abs(even - odd) / ((even + odd) / 2);
}

}  // namespace strata
