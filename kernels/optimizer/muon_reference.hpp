// The definition of Muon in double (facts kernels.md B12): momentum, Newton-Schulz steps on the matrix divided by its
// Frobenius norm, transposed where it has more rows than columns, and the update.
#pragma once

#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace strata::reference {

struct Matrix {
    long rows = 0;
    long columns = 0;
    std::vector<double> at{};  // [rows][columns]

    Matrix(long rows_, long columns_) : rows(rows_), columns(columns_), at(std::size_t(rows_ * columns_)) {}
    Matrix(long rows_, long columns_, std::vector<double> values)
        : rows(rows_), columns(columns_), at(std::move(values)) {}
    double& operator()(long i, long j) { return at[std::size_t(i * columns + j)]; }
    double operator()(long i, long j) const { return at[std::size_t(i * columns + j)]; }
};

inline Matrix transposed(const Matrix& x) {
    Matrix out(x.columns, x.rows);
    for (long i = 0; i < x.rows; ++i)
        for (long j = 0; j < x.columns; ++j) out(j, i) = x(i, j);
    return out;
}

inline Matrix product(const Matrix& x, const Matrix& y) {
    Matrix out(x.rows, y.columns);
    for (long i = 0; i < x.rows; ++i)
        for (long k = 0; k < x.columns; ++k)
            for (long j = 0; j < y.columns; ++j) out(i, j) += x(i, k) * y(k, j);
    return out;
}

// alpha x + beta y
inline Matrix combined(double alpha, const Matrix& x, double beta, const Matrix& y) {
    Matrix out = x;
    for (std::size_t i = 0; i < x.at.size(); ++i) out.at[i] = alpha * x.at[i] + beta * y.at[i];
    return out;
}

using Coefficients = std::array<double, 3>;  // a, b, c of a step

inline Matrix newton_schulz_step(const Matrix& x, const Coefficients& of) {
    const Matrix a = product(x, transposed(x));
    const Matrix b = combined(of[1], a, of[2], product(a, a));
    return combined(of[0], x, 1, product(b, x));
}

inline Matrix newton_schulz(Matrix x, const std::vector<Coefficients>& steps) {
    const bool is_tall = x.rows > x.columns;
    if (is_tall) x = transposed(x);
    double squares = 0;
    for (const double element : x.at) squares += element * element;
    for (double& element : x.at) element /= std::sqrt(squares) + 1e-7;
    for (const Coefficients& of : steps) x = newton_schulz_step(x, of);
    return is_tall ? transposed(x) : x;
}

// One element: momentum = mu momentum + gradient, and what is orthogonalised, with Nesterov's look ahead or without.
struct Momentum {
    double momentum, direction;
};

inline Momentum muon_momentum(double momentum, double gradient, double mu, bool nesterov) {
    const double after = mu * momentum + gradient;
    return {after, nesterov ? mu * after + gradient : after};
}

inline double muon_weight(double weight, double orthogonal, double rate, double decay, double scale) {
    return weight * (1 - rate * decay) - rate * scale * orthogonal;
}

}  // namespace strata::reference
