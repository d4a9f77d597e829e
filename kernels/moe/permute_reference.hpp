// The definition of the two moves.
#pragma once

#include <cstdint>
#include <vector>

namespace strata::reference {

// Slot s gets the row of the token of its pair (pair / k); padding gets zeros.
template <class Row>
std::vector<Row> permuted(const std::vector<Row>& rows, const std::vector<std::int32_t>& pair_of_slot, long k,
                          const Row& zero) {
    std::vector<Row> out;
    for (const std::int32_t pair : pair_of_slot) out.push_back(pair < 0 ? zero : rows[std::size_t(pair / k)]);
    return out;
}

// Column x of a token: sum over its k pairs, in their order, of weight * row[x], from `addend` (0 where there is none).
// Pairs without a slot add nothing.
inline double combined(const std::vector<double>& values, const std::vector<double>& weights, double addend) {
    for (std::size_t i = 0; i < values.size(); ++i) addend += weights[i] * values[i];
    return addend;
}

}  // namespace strata::reference
