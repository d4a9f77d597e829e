// Seeded random numbers that are the same with every standard library: its distributions are not specified to the bit,
// so none is used.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/mixed_bits.hpp"

namespace strata {

// Bits as a number in (0, 1), never an end of it: its logarithm is finite.
inline double unit_from(std::uint64_t bits) { return (double(bits >> 11) + 0.5) * 0x1p-53; }

class RandomStream {
public:
    explicit RandomStream(std::uint64_t seed) : at_(mixed_bits(seed)) {}

    double uniform() { return unit_from(mixed_bits(at_++)); }
    std::uint64_t below(std::uint64_t bound) { return static_cast<std::uint64_t>(uniform() * double(bound)); }
    double exponential(double mean) { return -mean * std::log(uniform()); }
    // Weibull by inversion; shape 1 is the exponential.
    double weibull(double scale, double shape) { return scale * std::pow(-std::log(uniform()), 1 / shape); }
    // Standard normal (Box and Muller 1958; the second of the pair is thrown away).
    double normal() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

private:
    std::uint64_t at_;
};

}  // namespace strata
