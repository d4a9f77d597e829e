// Random rows of logits for the tests of this folder, as the kernel's type and as the double it stands for.
#pragma once

#include <random>
#include <vector>

#include "kernels/elements.hpp"

namespace strata {

template <class T>
struct RandomLogits {
    RandomLogits(long row_count, long width, std::uint64_t seed, float deviation = 2) : vocabulary(width) {
        std::mt19937_64 random(seed);
        std::normal_distribution<float> values(0, deviation);
        for (long i = 0; i < row_count * width; ++i) at.push_back(from_float<T>(values(random)));
    }
    std::vector<double> row(long index) const {
        std::vector<double> all;
        for (long v = 0; v < vocabulary; ++v) all.push_back(to_float(at[std::size_t(index * vocabulary + v)]));
        return all;
    }
    void set(long row_index, long v, float value) {
        at[std::size_t(row_index * vocabulary + v)] = from_float<T>(value);
    }
    long vocabulary;
    std::vector<T> at;
};

}  // namespace strata
