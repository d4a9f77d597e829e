#include "sim/routing/bias_balancing.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace strata {

namespace {

double mean(std::span<const std::int64_t> loads) {
    return double(std::accumulate(loads.begin(), loads.end(), std::int64_t(0))) / double(loads.size());
}

}  // namespace

double max_over_mean(std::span<const std::int64_t> loads) {
    if (loads.empty()) throw std::logic_error("max_over_mean: no loads");
    const double average = mean(loads);
    return average > 0 ? double(*std::ranges::max_element(loads)) / average : 1;
}

void update_bias(std::vector<double>& bias, std::span<const std::int64_t> loads, double rate) {
    if (bias.size() != loads.size()) throw std::logic_error("update_bias: one bias for each load");
    const double average = mean(loads);
    for (std::size_t e = 0; e < bias.size(); ++e)
        bias[e] += double(loads[e]) < average ? rate : double(loads[e]) > average ? -rate : 0;
}

std::vector<double> balance(ScoreRouting& routing, int layer, std::int64_t first, int steps, double rate) {
    std::vector<double> bias = routing.bias(layer), over_time;
    bias.resize(std::size_t(routing.experts()));
    for (int step = 0; step < steps; ++step) {
        const std::vector<std::int64_t> loads = routing.loads(layer, first + step);
        over_time.push_back(max_over_mean(loads));
        update_bias(bias, loads, rate);
        routing.set_bias(layer, bias);
    }
    return over_time;
}

}  // namespace strata
