// Draws that are the same on every machine: the standard says what the engine gives, not what its distributions do.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

namespace strata {

class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}

    double share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // in [0, 1)
    bool chance(double of) { return share() < of; }
    int whole(int least, int most) { return least + static_cast<int>(share() * (most - least + 1)); }
    // Even in ratios: as often between 1 and 10 as between 10 and 100.
    double between(double low, double high) { return low * std::pow(high / low, share()); }
    int about(double low, double high) { return static_cast<int>(between(low, high)); }
    template <class Values>
    const auto& of(const Values& values) {
        return *std::next(values.begin(), whole(0, static_cast<int>(values.size()) - 1));
    }
    template <class T>
    T of(std::initializer_list<T> values) {
        return values.begin()[whole(0, static_cast<int>(values.size()) - 1)];
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace strata
