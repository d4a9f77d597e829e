// The definition of a step of AdamW for one parameter, in double:
//   g' = scale g;  m' = m + (1 - b1)(g' - m);  v' = v + (1 - b2)(g'^2 - v)
//   w' = w (1 - lr wd) - lr (m' / (1 - b1^t)) / (sqrt(v' / (1 - b2^t)) + eps)
#pragma once

#include <cmath>

namespace strata::reference {

struct AdamWParameters {
    double rate = 0, beta1 = 0.9, beta2 = 0.95, eps = 1e-20, decay = 0.1, gradient_scale = 1;
    long step = 1;  // t, from 1
};

struct AdamWState {
    double weight = 0, m = 0, v = 0;
};

inline AdamWState adamw(const AdamWState& before, double gradient, const AdamWParameters& of) {
    const double g = gradient * of.gradient_scale;
    AdamWState after;
    after.m = before.m + (1 - of.beta1) * (g - before.m);
    after.v = before.v + (1 - of.beta2) * (g * g - before.v);
    const double m_hat = after.m / (1 - std::pow(of.beta1, double(of.step)));
    const double v_hat = after.v / (1 - std::pow(of.beta2, double(of.step)));
    after.weight = before.weight * (1 - of.rate * of.decay) - of.rate * m_hat / (std::sqrt(v_hat) + of.eps);
    return after;
}

}  // namespace strata::reference
