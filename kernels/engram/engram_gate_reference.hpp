// The definition of the Engram gate for one token and one stream, in double (facts B8):
//   dot = sum(x w k) rstd_x rstd_k / sqrt(H),  rstd = 1 / sqrt(mean(.^2) + eps),  w the product of both norms' weights
//   g = sigmoid(sign(dot) sqrt(max(|dot|, 1e-6))), 0 for a token that is not live;   out = x + g v
// sign(0) is 0, so that a dot of exactly 0 opens the gate by half.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata::reference {

struct EngramGate {
    double dot = 0, rstd_x = 0, rstd_k = 0, gate = 0;
    std::vector<double> out;  // [hidden]
};

inline EngramGate engram_gate(const std::vector<double>& x, const std::vector<double>& key,
                              const std::vector<double>& value, const std::vector<double>& weight, bool live,
                              double eps) {
    double xx = 0, kk = 0, xk = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += x[i] * x[i];
        kk += key[i] * key[i];
        xk += x[i] * weight[i] * key[i];
    }
    const double hidden = double(x.size());
    EngramGate out;
    out.rstd_x = 1 / std::sqrt(xx / hidden + eps);
    out.rstd_k = 1 / std::sqrt(kk / hidden + eps);
    out.dot = xk * out.rstd_x * out.rstd_k / std::sqrt(hidden);
    const double root = std::sqrt(std::max(std::abs(out.dot), 1e-6));
    const double sign = out.dot > 0 ? 1 : out.dot < 0 ? -1 : 0;
    out.gate = live ? 1 / (1 + std::exp(-sign * root)) : 0;
    for (std::size_t i = 0; i < x.size(); ++i) out.out.push_back(live ? x[i] + out.gate * value[i] : x[i]);
    return out;
}

}  // namespace strata::reference
