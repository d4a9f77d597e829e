// Random numbers from a seed and a place (layer, step, token): the same on every machine and in any order of asking,
// because the state is a hash of the place and none of the library's distributions is used.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/mixed_bits.hpp"

namespace strata {

class SeededRandom {
public:
    explicit SeededRandom(std::uint64_t seed, std::initializer_list<std::int64_t> place = {})
        : state_(mixed_bits(seed)) {
        for (const std::int64_t at : place) state_ = mixed_bits(state_ ^ mixed_bits(std::uint64_t(at)));
    }

    // SplitMix64 (Steele, Lea and Flood 2014).
    std::uint64_t bits() {
        const std::uint64_t out = mixed_bits(state_);
        state_ += 0x9E3779B97F4A7C15ull;
        return out;
    }
    // In the open interval (0, 1): its logarithm is finite.
    double uniform() { return (double(bits() >> 11) + 0.5) * 0x1p-53; }
    // In [0, bound), for bounds below 2^32.
    std::int64_t below(std::int64_t bound) { return std::int64_t(((bits() >> 32) * std::uint64_t(bound)) >> 32); }
    double exponential() { return -std::log(uniform()); }
    double normal() {  // Box and Muller 1958
        const double radius = std::sqrt(2 * exponential());
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }
    // 0 to count - 1 in an order where each is equally likely (Fisher and Yates).
    std::vector<int> permutation(int count) {
        std::vector<int> order(static_cast<std::size_t>(count));
        std::iota(order.begin(), order.end(), 0);
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[std::size_t(below(std::int64_t(i)))]);
        return order;
    }

private:
    std::uint64_t state_;
};

}  // namespace strata
