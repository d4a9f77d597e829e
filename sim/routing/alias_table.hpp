// Draws from a fixed distribution in constant time (Walker 1977, in the form of Vose 1991).
#pragma once

#include <span>
#include <vector>

#include "sim/routing/seeded_random.hpp"

namespace strata {

class AliasTable {
public:
    // `shares` are not negative and not all zero; they need not sum to one.
    explicit AliasTable(std::span<const double> shares);

    int draw(SeededRandom& random) const {
        const auto column = std::size_t(random.below(std::int64_t(kept_.size())));
        return random.uniform() < kept_[column] ? int(column) : alias_[column];
    }

private:
    std::vector<double> kept_;  // the chance that a column answers with itself
    std::vector<int> alias_;
};

}  // namespace strata
