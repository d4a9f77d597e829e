#include "sim/routing/folded_loads.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace strata {

namespace {

// By the waiting times between successes, geometric: about n p + 1 logarithms.
std::int64_t binomial_by_waiting(std::int64_t n, double p, SeededRandom& random) {
    const double scale = 1 / std::log1p(-p);
    std::int64_t successes = 0;
    for (double trials = 0;; ++successes) {
        trials += std::floor(std::log(random.uniform()) * scale) + 1;
        if (trials > double(n)) return successes;
    }
}

// What Stirling's formula leaves out of log k!.
double stirling_rest(double k) {
    static constexpr double known[] = {
        0.08106146679532726, 0.04134069595540929, 0.02767792568499834, 0.02079067210376509,  0.01664469118982119,
        0.01387612882307075, 0.01189670994589177, 0.01041126526197209, 0.009255462182712733, 0.008330563433362871};
    if (k < 10) return known[int(k)];
    const double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// Transformed rejection with squeeze, algorithm BTRS of W. Hoermann, The generation of binomial random variates, J. of
// Statistical Computation and Simulation 46 (1993); for n p >= 10 and p <= 1/2.
std::int64_t binomial_by_rejection(std::int64_t n, double p, SeededRandom& random) {
    const double count = double(n), deviation = std::sqrt(count * p * (1 - p));
    const double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p, c = count * p + 0.5;
    const double v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * deviation, mode = std::floor((count + 1) * p);
    for (;;) {
        const double u = random.uniform() - 0.5, us = 0.5 - std::abs(u);
        const double k = std::floor((2 * a / us + b) * u + c);
        const double v = random.uniform();
        if (us >= 0.07 && v <= v_r) return std::int64_t(k);
        if (k < 0 || k > count) continue;
        const double height = std::log(v * alpha / (a / (us * us) + b));
        const double bound = (mode + 0.5) * std::log((mode + 1) / (p / (1 - p) * (count - mode + 1))) +
                             (count + 1) * std::log((count - mode + 1) / (count - k + 1)) +
                             (k + 0.5) * std::log(p / (1 - p) * (count - k + 1) / (k + 1)) + stirling_rest(mode) +
                             stirling_rest(count - mode) - stirling_rest(k) - stirling_rest(count - k);
        if (height <= bound) return std::int64_t(k);
    }
}

// Gives `surplus` (of either sign) to the loads in proportion to `share`, whole tokens, none beyond [0, tokens].
void spread_surplus(std::int64_t surplus, std::span<const double> share, std::int64_t tokens,
                    std::vector<std::int64_t>& loads) {
    double sum = 0;
    for (const double s : share) sum += s;
    double passed = 0;
    std::int64_t given = 0;
    for (std::size_t e = 0; e < loads.size() && sum > 0; ++e) {
        passed += share[e];
        const std::int64_t due = std::llround(double(surplus) * passed / sum) - given;
        const std::int64_t taken = std::clamp<std::int64_t>(loads[e] + due, 0, tokens) - loads[e];
        loads[e] += taken;
        given += taken;
    }
    for (std::size_t e = 0; e < loads.size() && given != surplus; ++e) {  // what the bounds refused
        const std::int64_t taken = std::clamp<std::int64_t>(loads[e] + surplus - given, 0, tokens) - loads[e];
        loads[e] += taken;
        given += taken;
    }
}

}  // namespace

std::int64_t binomial(std::int64_t n, double p, SeededRandom& random) {
    if (n < 0 || !(p >= 0 && p <= 1)) throw std::logic_error("binomial: trials or probability out of range");
    if (n == 0 || p == 0) return 0;
    if (p > 0.5) return n - binomial(n, 1 - p, random);
    return double(n) * p < 10 ? binomial_by_waiting(n, p, random) : binomial_by_rejection(n, p, random);
}

std::vector<std::int64_t> multinomial(std::int64_t n, std::span<const double> shares, SeededRandom& random) {
    std::vector<std::int64_t> counts;
    double left = 0;
    for (const double share : shares) left += share;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const bool last = i + 1 == shares.size();
        counts.push_back(last ? n : binomial(n, left > 0 ? std::clamp(shares[i] / left, 0.0, 1.0) : 0, random));
        n -= counts.back();
        left -= shares[i];
    }
    return counts;
}

std::vector<std::int64_t> folded_loads(std::span<const double> inclusion, int top_k, std::int64_t tokens,
                                       SeededRandom& random) {
    std::vector<std::int64_t> loads;
    std::vector<double> variance;
    std::int64_t surplus = tokens * top_k;
    for (const double p : inclusion) {
        loads.push_back(binomial(tokens, p, random));
        variance.push_back(p * (1 - p));
        surplus -= loads.back();
    }
    spread_surplus(surplus, variance, tokens, loads);
    return loads;
}

}  // namespace strata
