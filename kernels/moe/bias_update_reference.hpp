// The definition: bias += sign(mean load - load of the expert) * speed.
#pragma once

#include <numeric>
#include <vector>

namespace strata::reference {

inline std::vector<double> updated_bias(const std::vector<int>& counts, std::vector<double> bias, double speed) {
    const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / double(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) bias[i] += counts[i] < mean ? speed : counts[i] > mean ? -speed : 0;
    return bias;
}

}  // namespace strata::reference
