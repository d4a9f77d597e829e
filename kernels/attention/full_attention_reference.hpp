// The definition of attention in double, for one query of one head: keys [row][key_dim], values [row][value_dim].
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata::reference {

inline std::vector<double> full_attention(const std::vector<double>& query, const std::vector<double>& keys,
                                          const std::vector<double>& values, double scale) {
    const std::size_t key_dim = query.size(), rows = keys.size() / key_dim, value_dim = values.size() / rows;
    std::vector<double> logits(rows), out(value_dim);
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t d = 0; d < key_dim; ++d) logits[row] += query[d] * keys[row * key_dim + d];
        logits[row] *= scale;
    }
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (double& logit : logits) sum += logit = std::exp(logit - largest);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t d = 0; d < value_dim; ++d) out[d] += logits[row] / sum * values[row * value_dim + d];
    return out;
}

}  // namespace strata::reference
