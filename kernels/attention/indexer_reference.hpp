// The definition of the lightning indexer in double: logit of a query for a key = scale of the key times the sum over
// heads of weight times relu(q . k) (DeepSeek-V3.2-Exp, equation 1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace strata::reference {

// q [heads][dim], w [heads], k [dim].
inline double indexer_logit(const std::vector<double>& q, const std::vector<double>& w, const std::vector<double>& k,
                            double key_scale) {
    double sum = 0;
    for (std::size_t head = 0; head < w.size(); ++head) {
        double dot = 0;
        for (std::size_t i = 0; i < k.size(); ++i) dot += q[head * k.size() + i] * k[i];
        sum += w[head] * std::max(dot, 0.0);
    }
    return key_scale * sum;
}

}  // namespace strata::reference
