#include "sim/search/sampling.hpp"

#include <boost/random/sobol.hpp>

#include "sim/routing/seeded_random.hpp"

namespace strata {

namespace {
double unit(std::uint64_t bits) { return double(bits >> 11) * 0x1p-53; }
}  // namespace

std::vector<UnitPoint> sobol_points(std::size_t count, std::size_t dimensions, std::uint64_t seed) {
    std::vector<std::uint64_t> shift(dimensions, 0);
    SeededRandom random(seed);
    if (seed > 0)
        for (std::uint64_t& bits : shift) bits = random.bits();
    std::vector<UnitPoint> points(count, UnitPoint(dimensions));
    if (dimensions == 0) return points;
    boost::random::sobol sequence(dimensions);
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t d = 0; d < dimensions; ++d)
            // Boost begins after the first point, the origin. With it the first 2^k points are even (Owen 2020).
            points[i][d] = unit((i == 0 ? 0 : sequence()) ^ shift[d]);
    return points;
}

std::vector<UnitPoint> latin_points(std::size_t count, std::size_t dimensions, std::uint64_t seed) {
    std::vector<UnitPoint> points(count, UnitPoint(dimensions));
    for (std::size_t d = 0; d < dimensions; ++d) {
        SeededRandom random(seed, {std::int64_t(d)});
        const std::vector<int> slice = random.permutation(static_cast<int>(count));
        for (std::size_t i = 0; i < count; ++i) points[i][d] = (slice[i] + random.uniform()) / double(count);
    }
    return points;
}

}  // namespace strata
