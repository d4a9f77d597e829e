// The definition of mHC with four streams, in double (arXiv 2512.24880 equations 7 to 9, in the order of V4's code):
//   rms = 1 / sqrt(mean(r^2) + norm_eps) over a token's 4H numbers;  mixes = (r . fn^T) rms: 4 pre, 4 post, 16 comb
//   pre = sigmoid(m s0 + b) + eps;  post = sigmoid(m s1 + b) post_mult;  comb = sinkhorn(m s2 + b)
//   in = sum_i pre_i r_i;  r'_n = post_n out + sum_m comb[m][n] r_m
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace strata::reference {

struct MhcSite {
    std::vector<double> fn;  // [24][4H]
    std::array<double, 3> scale{};
    std::array<double, 24> base{};
    double norm_eps = 1e-6;
    double eps = 1e-6;
    double post_mult = 2;
    int iterations = 20;
};

struct MhcMixed {
    std::array<double, 24> mixes{};
    std::array<double, 4> pre{}, post{};
    std::array<double, 16> comb{};
};

// Softmax of each row, plus eps; columns divided by their sum plus eps; then (iterations - 1) times rows and columns.
inline std::array<double, 16> sinkhorn(std::array<double, 16> m, int iterations, double eps) {
    for (int i = 0; i < 4; ++i) {
        const double largest = *std::max_element(&m[i * 4], &m[i * 4] + 4);
        double sum = 0;
        for (int j = 0; j < 4; ++j) sum += m[i * 4 + j] = std::exp(m[i * 4 + j] - largest);
        for (int j = 0; j < 4; ++j) m[i * 4 + j] = m[i * 4 + j] / sum + eps;
    }
    const auto normalise = [&](int line, int along) {  // four numbers from m[line], `along` apart
        double sum = 0;
        for (int k = 0; k < 4; ++k) sum += m[line + k * along];
        for (int k = 0; k < 4; ++k) m[line + k * along] /= sum + eps;
    };
    for (int iteration = 0; iteration < iterations; ++iteration) {
        for (int row = 0; row < 4 && iteration > 0; ++row) normalise(row * 4, 1);
        for (int column = 0; column < 4; ++column) normalise(column, 4);
    }
    return m;
}

inline MhcMixed mixed(const double* r, long hidden, const MhcSite& site) {
    MhcMixed out;
    const long k = 4 * hidden;
    double squares = 0;
    for (long x = 0; x < k; ++x) squares += r[x] * r[x];
    const double rms = 1 / std::sqrt(squares / double(k) + site.norm_eps);
    std::array<double, 24> scaled{};
    for (int j = 0; j < 24; ++j) {
        double sum = 0;
        for (long x = 0; x < k; ++x) sum += r[x] * site.fn[std::size_t(j * k + x)];
        out.mixes[j] = sum * rms;
        scaled[j] = out.mixes[j] * site.scale[j < 4 ? 0 : j < 8 ? 1 : 2] + site.base[j];
    }
    for (int i = 0; i < 4; ++i) out.pre[i] = 1 / (1 + std::exp(-scaled[i])) + site.eps;
    for (int i = 0; i < 4; ++i) out.post[i] = 1 / (1 + std::exp(-scaled[4 + i])) * site.post_mult;
    std::copy(scaled.begin() + 8, scaled.end(), out.comb.begin());
    out.comb = sinkhorn(out.comb, site.iterations, site.eps);
    return out;
}

inline std::vector<double> layer_in(const double* r, long hidden, const std::array<double, 4>& pre) {
    std::vector<double> in(static_cast<std::size_t>(hidden));
    for (int i = 0; i < 4; ++i)
        for (long h = 0; h < hidden; ++h) in[std::size_t(h)] += pre[i] * r[i * hidden + h];
    return in;
}

// [4][H]
inline std::vector<double> spread(const double* layer_out, const double* r, long hidden,
                                  const std::array<double, 4>& post, const std::array<double, 16>& comb) {
    std::vector<double> out(std::size_t(4 * hidden));
    for (int n = 0; n < 4; ++n)
        for (long h = 0; h < hidden; ++h) {
            double sum = layer_out[h] * post[n];
            for (int m = 0; m < 4; ++m) sum += comb[m * 4 + n] * r[m * hidden + h];
            out[std::size_t(n * hidden + h)] = sum;
        }
    return out;
}

}  // namespace strata::reference
