// Matrices for the tests of Muon: random ones, as BF16 and as doubles, and their singular values.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "kernels/elements.hpp"
#include "kernels/optimizer/muon_reference.hpp"

namespace strata {

inline std::vector<Bf16> random_bf16(std::size_t count, std::uint64_t seed, double deviation = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> values(0, deviation);
    std::vector<Bf16> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(to_bf16(float(values(random))));
    return all;
}

// Matrix `number` of a batch.
template <class T>
reference::Matrix matrix_of(const std::vector<T>& batch, long rows, long columns, long number = 0) {
    reference::Matrix out(rows, columns);
    for (long i = 0; i < rows * columns; ++i)
        out.at[std::size_t(i)] = to_float(batch[std::size_t(number * rows * columns + i)]);
    return out;
}

// Ascending: the roots of the eigenvalues of x x^T, by Jacobi's rotations.
inline std::vector<double> singular_values(const reference::Matrix& x) {
    reference::Matrix a = reference::product(x, reference::transposed(x));
    const long n = a.rows;
    for (int sweep = 0; sweep < 30; ++sweep)
        for (long p = 0; p < n; ++p)
            for (long q = p + 1; q < n; ++q) {
                if (std::abs(a(p, q)) < 1e-300) continue;
                const double theta = (a(q, q) - a(p, p)) / (2 * a(p, q));
                const double tangent = std::copysign(1, theta) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                const double cosine = 1 / std::sqrt(tangent * tangent + 1), sine = tangent * cosine;
                for (long k = 0; k < n; ++k) {
                    const double up = a(k, p), uq = a(k, q);
                    a(k, p) = cosine * up - sine * uq, a(k, q) = sine * up + cosine * uq;
                }
                for (long k = 0; k < n; ++k) {
                    const double up = a(p, k), uq = a(q, k);
                    a(p, k) = cosine * up - sine * uq, a(q, k) = sine * up + cosine * uq;
                }
            }
    std::vector<double> values;
    for (long i = 0; i < n; ++i) values.push_back(std::sqrt(std::max(a(i, i), 0.0)));
    std::ranges::sort(values);
    return values;
}

}  // namespace strata
