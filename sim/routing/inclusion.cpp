#include "sim/routing/inclusion.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace strata {

namespace {

// Points of the integral: 2048 move no probability of Zipf laws of exponents 0.3 to 3 over 256 experts by 0.1 %.
constexpr int kPoints = 32;

// P(expert comes before the clock shows `time`), for all experts. With biases, "comes before" means that affinity +
// bias is above a level that sinks with time, from where none is above it to where all are.
class Clocks {
public:
    Clocks(const RouterRule& rule, std::span<const double> weights, std::span<const double> bias)
        : score_(rule.score), weights_(weights), bias_(bias) {
        if (!bias.empty()) {
            const auto [lowest, highest] = std::ranges::minmax(bias);
            lowest_ = lowest;
            highest_ = highest;
        }
    }

    double before(double time, std::vector<double>& probability) const {
        double expected = 0;
        const double level =
            bias_.empty() ? 0 : affinity(score_, 1 / time) + lowest_ + (highest_ - lowest_) / (1 + time);
        for (std::size_t e = 0; e < weights_.size(); ++e) {
            const double own = bias_.empty() ? time : 1 / odds_of(score_, level - bias_[e]);
            probability[e] = 1 - std::exp(-weights_[e] * own);
            expected += probability[e];
        }
        return expected;
    }

private:
    Score score_;
    std::span<const double> weights_, bias_;
    double lowest_ = 0, highest_ = 0;
};

// P(N = j) for j < k of a sum of Bernoulli variables, all but `skipped`.
void count_distribution(const std::vector<double>& probability, std::size_t skipped, std::vector<double>& chance) {
    std::ranges::fill(chance, 0);
    chance[0] = 1;
    for (std::size_t e = 0; e < probability.size(); ++e) {
        if (e == skipped) continue;
        const double p = probability[e];
        for (std::size_t j = chance.size() - 1; j > 0; --j) chance[j] += p * (chance[j - 1] - chance[j]);
        chance[0] *= 1 - p;
    }
}

// P(fewer than k of the others), for each expert: its variable is divided out of the sum of all. That loses
// k log10(p / (1 - p)) digits, so where more than nine would go the others are added up anew.
void fewer_of_others(const std::vector<double>& probability, std::vector<double>& chance, std::vector<double>& without,
                     std::vector<double>& fewer) {
    const double largest_odds = std::pow(10.0, 9.0 / double(chance.size()));
    count_distribution(probability, probability.size(), chance);
    for (std::size_t e = 0; e < probability.size(); ++e) {
        const double p = probability[e];
        if (p < largest_odds * (1 - p)) {
            const double scale = 1 / (1 - p);
            double previous = 0, sum = 0;
            for (const double all : chance) {
                previous = (all - p * previous) * scale;
                sum += previous;
            }
            fewer[e] = sum;
        } else {
            count_distribution(probability, e, without);
            fewer[e] = std::accumulate(without.begin(), without.end(), 0.0);
        }
    }
}

// A time by which `k` experts have come but for a chance of 10^-5 to 10^-3.
double time_of_last(const Clocks& clocks, std::vector<double>& probability, std::vector<double>& chance) {
    const auto missing = [&](double time) {
        clocks.before(time, probability);
        count_distribution(probability, probability.size(), chance);
        return std::accumulate(chance.begin(), chance.end(), 0.0);
    };
    double early = 1, late = 1;
    while (missing(late) > 1e-3) late *= 2;
    while (missing(early) < 1e-5) early /= 2;
    for (;;) {
        const double middle = std::sqrt(early * late), left = missing(middle);
        if (left >= 1e-5 && left <= 1e-3) return middle;
        (left > 1e-3 ? early : late) = middle;
    }
}

}  // namespace

void normalise_weights(std::vector<double>& weights, int top_k) {
    if (top_k >= int(weights.size())) return;  // all are chosen whatever the weights
    const auto expected = [&](double scale) {
        double sum = 0;
        for (const double weight : weights) sum += 1 - std::exp(-scale * weight);
        return sum;
    };
    double low = 1, high = 1;
    while (expected(high) < top_k) high *= 2;
    while (expected(low) > top_k) low /= 2;
    while (high - low > 1e-12 * high) {
        const double middle = (low + high) / 2;
        if (middle == low || middle == high) break;
        (expected(middle) < top_k ? low : high) = middle;
    }
    for (double& weight : weights) weight *= high;
}

std::vector<double> inclusion_probabilities(const RouterRule& rule, std::span<const double> weights,
                                            std::span<const double> bias) {
    if (rule.limit.limits()) throw std::logic_error("inclusion_probabilities: no integral under a group limit");
    const std::size_t n = weights.size();
    const auto k = std::size_t(rule.top_k);
    if (k >= n) return std::vector<double>(n, 1.0);
    const Clocks clocks(rule, weights, bias);
    std::vector<double> now(n), before(n, 0.0), fewer(n), fewer_before(n, 1.0), chance(k), without(k), included(n, 0.0);
    const double last = time_of_last(clocks, now, chance);
    for (int point = 1; point <= kPoints; ++point) {
        clocks.before(last * point / kPoints, now);
        fewer_of_others(now, chance, without, fewer);
        for (std::size_t e = 0; e < n; ++e) included[e] += (now[e] - before[e]) * (fewer[e] + fewer_before[e]) / 2;
        std::swap(now, before);
        std::swap(fewer, fewer_before);
    }
    const double scale = double(k) / std::accumulate(included.begin(), included.end(), 0.0);
    for (double& p : included) p = std::min(1.0, p * scale);
    return included;
}

}  // namespace strata
