// The definition of Engram's short convolution for one stream of one sequence from its start, in double:
//   n_t = bf16(v_t weight / sqrt(mean(v_t^2) + eps))
//   y_t = sum over k = 0..3 of taps[k] n_(t - 3 (3 - k)), n before the start being 0;   out_t = v_t + y_t sigmoid(y_t)
// The normalised value is rounded to BF16 where it is made: as the state keeps it in BF16, a sequence gives the same
// bits however it is cut.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/elements.hpp"

namespace strata::reference {

using Rows = std::vector<std::vector<double>>;  // [tokens][hidden]

inline Rows engram_normalised(const Rows& v, const std::vector<double>& weight, double eps) {
    Rows out;
    for (const auto& row : v) {
        double squares = 0;
        for (const double x : row) squares += x * x;
        const double rstd = 1 / std::sqrt(squares / double(row.size()) + eps);
        out.emplace_back();
        for (std::size_t i = 0; i < row.size(); ++i)
            out.back().push_back(to_float(to_bf16(float(row[i] * rstd * weight[i]))));
    }
    return out;
}

// `taps`: [4][hidden], the last one for the token itself.
inline Rows engram_conv(const Rows& v, const std::vector<double>& weight, const Rows& taps, double eps) {
    const Rows n = engram_normalised(v, weight, eps);
    Rows out = v;
    for (std::size_t t = 0; t < v.size(); ++t)
        for (std::size_t i = 0; i < v[t].size(); ++i) {
            double y = 0;
            for (std::size_t k = 0; k < 4; ++k)
                if (t >= 3 * (3 - k)) y += taps[k][i] * n[t - 3 * (3 - k)][i];
            out[t][i] += y / (1 + std::exp(-y));
        }
    return out;
}

}  // namespace strata::reference
