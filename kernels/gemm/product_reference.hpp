// The definition of a matrix product, in double: out[n] = sum_k a[k] w[n][k] for one row of activations.
#pragma once

#include <vector>

namespace strata::reference {

inline std::vector<double> product(const std::vector<double>& a, const std::vector<double>& w) {
    std::vector<double> out(a.empty() ? 0 : w.size() / a.size());
    for (std::size_t n = 0; n < out.size(); ++n)
        for (std::size_t k = 0; k < a.size(); ++k) out[n] += a[k] * w[n * a.size() + k];
    return out;
}

}  // namespace strata::reference
