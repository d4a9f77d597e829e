// Points spread over the unit cube, the same for the same seed on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace strata {

using UnitPoint = std::vector<double>;  // each coordinate in [0, 1)

// The first `count` points of Sobol's sequence (Joe and Kuo's direction numbers, SIAM J. Sci. Comput. 30, 2008, as
// Boost has them), all bits of a coordinate flipped by the same random ones: a digital shift, which keeps what makes
// them even. Seed 0 shifts nothing.
std::vector<UnitPoint> sobol_points(std::size_t count, std::size_t dimensions, std::uint64_t seed);

// Latin hypercube (McKay, Beckman and Conover 1979): of `count` slices of every coordinate each holds one point, at a
// random place in it.
std::vector<UnitPoint> latin_points(std::size_t count, std::size_t dimensions, std::uint64_t seed);

}  // namespace strata
