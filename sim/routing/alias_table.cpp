#include "sim/routing/alias_table.hpp"

#include <numeric>
#include <stdexcept>

namespace strata {

AliasTable::AliasTable(std::span<const double> shares) : kept_(shares.size(), 1.0), alias_(shares.size()) {
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    if (!(sum > 0)) throw std::logic_error("AliasTable: shares must have a positive sum");
    std::iota(alias_.begin(), alias_.end(), 0);
    std::vector<double> height;
    std::vector<std::size_t> low, high;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        height.push_back(shares[i] / sum * double(shares.size()));
        (height[i] < 1 ? low : high).push_back(i);
    }
    while (!low.empty() && !high.empty()) {
        const std::size_t filled = low.back(), giver = high.back();
        low.pop_back();
        kept_[filled] = height[filled];
        alias_[filled] = int(giver);
        height[giver] -= 1 - height[filled];
        if (height[giver] < 1) {
            high.pop_back();
            low.push_back(giver);
        }
    }
}

}  // namespace strata
