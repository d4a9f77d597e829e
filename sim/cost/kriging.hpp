// Ordinary kriging from a few rows: the linear prediction whose weights add up to one and whose error is smallest
// (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, sections 2.7 and 4.2). Distances are in
// doublings of a side, squared.
#pragma once

#include <array>
#include <cstddef>

namespace strata {

constexpr std::size_t kNeighbours = 40;  // that a prediction is made from, or all rows of a smaller table
constexpr double kRepeatNoise = 0.02;    // of the residuals' variance: what two measurements of one shape differ in

using OfNeighbours = std::array<float, kNeighbours>;

struct Kriged {
    double value = 0;
    double deviation = 0;  // the predictor's own, in units of the values' deviation
};

// The rows' covariances, factorised: whatever is predicted from the same rows has that in common.
class KrigingSystem {
public:
    // `distance2[i][j]` from one of the n rows to a later one, and what was measured at each.
    KrigingSystem(const std::array<OfNeighbours, kNeighbours>& distance2, const OfNeighbours& values, std::size_t n);

    // Where the rows are that far away.
    Kriged at(const OfNeighbours& distance2) const;

private:
    using Column = std::array<double, kNeighbours>;
    void factorise();
    void halve(Column& b) const;
    double product(const Column& a, const Column& b) const;

    std::size_t n_;
    double factor_[kNeighbours][kNeighbours]{};  // Cholesky's, in the upper triangle
    Column one_{}, value_{};                     // of rows, halved
    double ones_ = 0, mean_ = 0;
};

}  // namespace strata
