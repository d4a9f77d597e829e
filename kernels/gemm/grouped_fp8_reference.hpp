// The definition of the block-scaled product, in double: one row of out.
#pragma once

#include <vector>

namespace strata::reference {

// a: [k]; a_scales: [k / 128]; b: [n][k]; b_scales: [ceil(n / 128)][k / 128].
inline std::vector<double> scaled_product(const std::vector<double>& a, const std::vector<double>& a_scales,
                                          const std::vector<double>& b, const std::vector<double>& b_scales) {
    const std::size_t k = a.size(), n = b.size() / k, blocks = k / 128;
    std::vector<double> out(n);
    for (std::size_t column = 0; column < n; ++column)
        for (std::size_t x = 0; x < k; ++x)
            out[column] += a_scales[x / 128] * b_scales[column / 128 * blocks + x / 128] * a[x] * b[column * k + x];
    return out;
}

}  // namespace strata::reference
