// The definition of Sinkhorn-balanced momentum, in double, over the n x d matrix M of the touched rows' momenta:
//   M = mu M + G;   rows with |M_i| <= tau mean_i |M_i| (2-norms, before any normalisation) are masked: no update
//   U = M without masked rows;   K times in turn, rows first: every row / its norm, every column / its norm
//   w = w (1 - lr wd) - lr gamma sqrt(d) U
// Facts give K = 11, tau = 1e-3, gamma = 0.18 and Delta = sqrt(n) U. Set here, for they do not say: mu = 0.95 as
// Muon's; no Nesterov term; rows are normalised first, hence also last (K is odd); n of sqrt(n) is the width d, so that
// every updated row has a mean square of (lr gamma)^2, which is what gamma = 0.18 means elsewhere; a row that no token
// touched keeps its momentum; a column of zeros stays; rows with a NaN or an infinity are masked, keep their momentum
// and do not count in the mean. Masked rows have no weight decay either.
#pragma once

#include <cmath>
#include <vector>

namespace strata::reference {

struct SinkhornParameters {
    double momentum = 0.95, rate = 0, gamma = 0.18, tau = 1e-3, decay = 0;
    int iterations = 11;
};

using Matrix = std::vector<std::vector<double>>;

inline double norm_of(const std::vector<double>& x) {
    double squares = 0;
    for (const double one : x) squares += one * one;
    return std::sqrt(squares);
}

// `momentum` and `weight` are updated in place.
inline void sinkhorn_momentum(Matrix& momentum, Matrix& weight, const Matrix& gradient, const SinkhornParameters& of) {
    const std::size_t width = momentum.empty() ? 0 : momentum[0].size();
    std::vector<double> norms;
    double sum = 0;
    int counted = 0;
    for (std::size_t row = 0; row < momentum.size(); ++row) {
        std::vector<double> next(width);
        for (std::size_t j = 0; j < width; ++j) next[j] = of.momentum * momentum[row][j] + gradient[row][j];
        norms.push_back(norm_of(next));
        if (!std::isfinite(norms.back())) continue;
        momentum[row] = next;
        sum += norms.back(), ++counted;
    }
    std::vector<std::size_t> live;
    Matrix u;
    for (std::size_t row = 0; row < momentum.size(); ++row)
        if (std::isfinite(norms[row]) && norms[row] > of.tau * sum / counted)
            live.push_back(row), u.push_back(momentum[row]);
    for (int k = 0; k < of.iterations; ++k) {
        if (k % 2 == 0) {
            for (auto& row : u) {
                const double norm = norm_of(row);
                for (double& x : row) x /= norm;
            }
            continue;
        }
        for (std::size_t j = 0; j < width; ++j) {
            double squares = 0;
            for (const auto& row : u) squares += row[j] * row[j];
            for (auto& row : u)
                if (squares > 0) row[j] /= std::sqrt(squares);
        }
    }
    for (std::size_t i = 0; i < live.size(); ++i)
        for (std::size_t j = 0; j < width; ++j) {
            double& w = weight[live[i]][j];
            w = w * (1 - of.rate * of.decay) - of.rate * of.gamma * std::sqrt(double(width)) * u[i][j];
        }
}

// The columns' factors c of U = diag(r) M diag(c), r = 1 / |(M diag(c))_i|, after all normalisations: the same for
// matrices too large to be copied. `momentum` is [rows][width] after its update; rows with a norm of at most
// `threshold` are masked.
inline std::vector<double> sinkhorn_columns(const std::vector<float>& momentum, std::size_t width, double threshold,
                                            int iterations) {
    std::vector<double> factors(width, 1.0), row(width);
    for (int pass = 0; pass < (iterations - 1) / 2; ++pass) {
        std::vector<double> sums(width, 0.0);
        for (std::size_t at = 0; at < momentum.size(); at += width) {
            double plain = 0, squares = 0;
            for (std::size_t j = 0; j < width; ++j) {
                const double x = momentum[at + j];
                row[j] = x * factors[j] * x * factors[j];
                plain += x * x, squares += row[j];
            }
            if (!(std::sqrt(plain) > threshold)) continue;
            for (std::size_t j = 0; j < width; ++j) sums[j] += row[j] / squares;
        }
        for (std::size_t j = 0; j < width; ++j)
            if (sums[j] > 0) factors[j] /= std::sqrt(sums[j]);
    }
    return factors;
}

}  // namespace strata::reference
