// The definition of selection: the k positions of [begin, end) with the largest values, ascending; of equal values the
// lowest positions; NaN below everything; -1 after the last where there are fewer than k.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace strata::reference {

inline std::vector<std::int32_t> top_k(const std::vector<double>& values, long begin, long end, int k) {
    std::vector<std::int32_t> positions(std::size_t(std::max(0L, end - begin)));
    std::iota(positions.begin(), positions.end(), std::int32_t(begin));
    const auto before = [&](std::int32_t a, std::int32_t b) {
        const double x = values[std::size_t(a)], y = values[std::size_t(b)];
        if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
        return x > y;
    };
    std::ranges::stable_sort(positions, before);
    positions.resize(std::min(positions.size(), std::size_t(k)));
    std::ranges::sort(positions);
    positions.resize(std::size_t(k), -1);
    return positions;
}

// The largest of each block of neighbouring positions below `end`, NaN ignored; a newest block that is not full is
// pinned: it is chosen whatever it holds.
inline std::vector<double> block_maxima(const std::vector<double>& values, long end, long block) {
    std::vector<double> maxima;
    for (long first = 0; first < end; first += block) {
        double most = -std::numeric_limits<double>::infinity();
        for (long at = first; at < std::min(end, first + block); ++at)
            if (values[std::size_t(at)] > most) most = values[std::size_t(at)];
        maxima.push_back(first + block > end ? std::numeric_limits<double>::infinity() : most);
    }
    return maxima;
}

// The candidates of a query: the blocks that a later layer may look into.
inline std::vector<std::int32_t> candidate_blocks(const std::vector<double>& values, long end, long block, int most) {
    const std::vector<double> maxima = block_maxima(values, end, block);
    return top_k(maxima, 0, long(maxima.size()), most);
}

// The best k positions within candidate blocks, by values that stand slot by slot: slot s is position
// blocks[s / block] * block + s % block.
inline std::vector<std::int32_t> top_k_of_candidates(const std::vector<double>& of_slots,
                                                     const std::vector<std::int32_t>& blocks, long end, long block,
                                                     int k) {
    std::vector<double> values;
    std::vector<std::int32_t> positions;
    for (std::size_t slot = 0; slot < of_slots.size(); ++slot) {
        const long of_block = blocks[slot / std::size_t(block)];
        const long position = of_block * block + long(slot) % block;
        if (of_block < 0 || position >= end) continue;
        values.push_back(of_slots[slot]);
        positions.push_back(std::int32_t(position));
    }
    std::vector<std::int32_t> chosen = top_k(values, 0, long(values.size()), k);
    for (std::int32_t& one : chosen)
        if (one >= 0) one = positions[std::size_t(one)];
    return chosen;
}

}  // namespace strata::reference
