// A cache of hot rows in the GPU's memory before a table on the host: sets of eight ways, so that a row is looked for
// with one access of 32 bytes. What it holds is planned from counted use, not changed by the lookups: in each set the
// eight most frequent rows that map to it, the lower id first among equals. The same counts give the same cache.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels/simt/portable.hpp"

namespace strata {

inline constexpr int kCacheWays = 8;

// Multiplicative hashing (Knuth): neighbouring rows go to distant sets.
STRATA_HD std::int32_t cache_set(std::int32_t row, int log2_sets) {
    return std::int32_t((std::uint32_t(row) * 0x9E3779B1u) >> (32 - log2_sets));
}

inline void require_log2_sets(int log2_sets) {
    if (log2_sets < 1 || log2_sets > 26)
        throw std::invalid_argument("row cache: 2^" + std::to_string(log2_sets) + " sets; expected 2^1 to 2^26");
}

// Tags [2^log2_sets][8]: the row of each slot, -1 where empty. `used` are row ids as looked up, -1 for none.
inline std::vector<std::int32_t> plan_row_cache(std::vector<std::int32_t> used, int log2_sets) {
    require_log2_sets(log2_sets);
    std::sort(used.begin(), used.end());
    std::vector<std::pair<std::int64_t, std::int32_t>> frequent;  // (-uses, row): sorts as wanted
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (used[i] < 0) continue;
        if (i == 0 || used[i] != used[i - 1]) frequent.emplace_back(0, used[i]);
        --frequent.back().first;
    }
    std::sort(frequent.begin(), frequent.end());
    std::vector<std::int32_t> tags(std::size_t(kCacheWays) << log2_sets, -1);
    for (const auto& [uses, row] : frequent) {
        std::int32_t* set = &tags[std::size_t(cache_set(row, log2_sets)) * kCacheWays];
        std::int32_t* free = std::find(set, set + kCacheWays, -1);
        if (free != set + kCacheWays) *free = row;
    }
    return tags;
}

}  // namespace strata
