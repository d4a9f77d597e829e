#include "sim/cost/kriging.hpp"

#include <algorithm>
#include <cmath>

namespace strata {

namespace {

// Chosen on rows that are not put aside, by leaving them out; a little more or less changes little.
constexpr double kReach = 5;  // doublings of a side over which a residual is remembered

// Matern's of order 3/2.
double covariance(double distance) {
    const double a = std::sqrt(3.0) / kReach * distance;
    return (1 + a) * std::exp(-a);
}

// The same of a squared distance, between values that are spaced evenly in distance: asked a thousand times for each
// system. Beyond them rows have nothing to do with each other.
double covariance_of_square(float distance2) {
    constexpr std::size_t kSteps = 1024;
    constexpr float kFarthest = 30;
    static const std::array<double, kSteps + 1> known = [] {
        std::array<double, kSteps + 1> values{};
        for (std::size_t i = 0; i <= kSteps; ++i) values[i] = covariance(double(kFarthest) * double(i) / kSteps);
        return values;
    }();
    if (distance2 >= kFarthest * kFarthest) return 0;
    const float step = std::sqrt(distance2) * (kSteps / kFarthest);
    const auto below = std::min(static_cast<std::size_t>(step), kSteps - 1);
    return known[below] + (known[below + 1] - known[below]) * double(step - static_cast<float>(below));
}

constexpr std::size_t kTogether = 4;  // columns, for the processor's sake
static_assert(kNeighbours % kTogether == 0);

}  // namespace

KrigingSystem::KrigingSystem(const std::array<OfNeighbours, kNeighbours>& distance2, const OfNeighbours& values,
                             std::size_t n)
    : n_(n) {
    for (std::size_t i = 0; i < n; ++i) {
        factor_[i][i] = 1 + kRepeatNoise;
        for (std::size_t j = i + 1; j < n; ++j) factor_[i][j] = covariance_of_square(distance2[i][j]);
        one_[i] = 1;
        value_[i] = values[i];
    }
    factorise();
    halve(one_);
    halve(value_);
    ones_ = product(one_, one_);
    mean_ = product(one_, value_) / ones_;
}

Kriged KrigingSystem::at(const OfNeighbours& distance2) const {
    Column here{};
    for (std::size_t i = 0; i < n_; ++i) here[i] = covariance_of_square(distance2[i]);
    halve(here);
    const double of_mean = product(one_, here), trend = 1 - of_mean;  // of the mean's own uncertainty
    const double variance = 1 + kRepeatNoise - product(here, here) + trend * trend / ones_;
    return {.value = mean_ + product(here, value_) - mean_ * of_mean,
            .deviation = std::sqrt(std::max(variance, kRepeatNoise))};
}

// In place; what stands below the diagonal is nothing.
void KrigingSystem::factorise() {
    for (std::size_t j = 0; j < n_; ++j) {
        double* const row = factor_[j];
        const double root = std::sqrt(row[j]);
        for (std::size_t c = j; c < n_; ++c) row[c] /= root;
        for (std::size_t i = j + 1; i < n_; ++i) {
            const double factor = row[i];
            for (std::size_t first = i / kTogether * kTogether; first < kNeighbours; first += kTogether)
                for (std::size_t c = first; c < first + kTogether; ++c) factor_[i][c] -= factor * row[c];
        }
    }
}

// L^-1 b in the place of b: products of two such are products over the inverse, which is never made.
void KrigingSystem::halve(Column& b) const {
    for (std::size_t i = 0; i < n_; ++i) {
        b[i] /= factor_[i][i];
        for (std::size_t c = i + 1; c < n_; ++c) b[c] -= factor_[i][c] * b[i];
    }
}

double KrigingSystem::product(const Column& a, const Column& b) const {
    double sums[kTogether]{};  // columns beyond n are nothing
    for (std::size_t i = 0; i < kNeighbours; i += kTogether)
        for (std::size_t c = 0; c < kTogether; ++c) sums[c] += a[i + c] * b[i + c];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

}  // namespace strata
