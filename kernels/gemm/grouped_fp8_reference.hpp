// The definition of the block-scaled product, in double: one element of out.
#pragma once

#include <cstddef>
#include <vector>

namespace strata::reference {

// a, b: [k]; their scales: [k / 128].
inline double scaled_dot(const std::vector<double>& a, const std::vector<double>& a_scales,
                         const std::vector<double>& b, const std::vector<double>& b_scales) {
    double sum = 0;
    for (std::size_t x = 0; x < a.size(); ++x) sum += a_scales[x / 128] * b_scales[x / 128] * a[x] * b[x];
    return sum;
}

}  // namespace strata::reference
