// Routers (s, x, y) with s in {0, 1} and x, y in GF(q): (0, x, y) and (0, x, y') are joined if y - y' is in X, (1, m,
// c) and (1, m, c') if c - c' is in X', and (0, x, y) and (1, m, c) if y = m x + c. X and X' are made of powers of a
// primitive element (Besta and Hoefler, SC 2014, section II-B).
#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "hwmodels/fabric/shapes.hpp"

namespace strata {

namespace {

// q = 4 w + delta with delta in {-1, 0, 1}.
int delta_of(int q) { return q % 4 == 1 ? 1 : q % 4 == 3 ? -1 : 0; }

bool is_prime(int q) {
    for (int d = 2; d * d <= q; ++d)
        if (q % d == 0) return false;
    return q > 1;
}

int primitive_element(int q) {
    for (int candidate = 2; candidate < q; ++candidate) {
        int power = candidate, order = 1;
        for (; power != 1; ++order) power = power * candidate % q;
        if (order == q - 1) return candidate;
    }
    throw std::logic_error("a prime without a primitive element");
}

struct Generators {
    std::set<int> even, odd;  // X and X'
};

Generators generators(int q) {
    std::vector<int> power{1};
    for (int i = 1, root = primitive_element(q); i < q - 1; ++i) power.push_back(power.back() * root % q);
    Generators sets;
    const int w = (q - delta_of(q)) / 4;
    if (delta_of(q) == 1) {  // even powers, odd powers
        for (int i = 0; i < q - 1; ++i) (i % 2 == 0 ? sets.even : sets.odd).insert(power[std::size_t(i)]);
    } else {  // the other parity from the middle on, so that both sets hold -v with each v
        for (int i = 0; i < w; ++i) {
            sets.even.insert({power[std::size_t(2 * i)], power[std::size_t(2 * w - 1 + 2 * i)]});
            sets.odd.insert({power[std::size_t(2 * i + 1)], power[std::size_t((2 * w + 2 * i) % (q - 1))]});
        }
    }
    return sets;
}

}  // namespace

SlimFlySize slim_fly_size(int q, int endpoints_per_router) {
    const long switches = 2L * q * q, radix = (3L * q - delta_of(q)) / 2;
    return {switches, switches * radix / 2, switches * endpoints_per_router};
}

void join(Fabric& fabric, std::span<const int> endpoints, const SlimFly& shape, const Wire& lane, int plane) {
    const int q = shape.q;
    if (!is_prime(q) || q < 5)
        throw InputError("slim fly", "a prime q of 5 or more (fields of prime powers are not built)",
                         fmt::format("{}", q));
    if (shape.endpoints_per_router < 1 ||
        static_cast<long>(endpoints.size()) > slim_fly_size(q, shape.endpoints_per_router).endpoints)
        throw InputError("slim fly",
                         fmt::format("at most {} endpoints", slim_fly_size(q, shape.endpoints_per_router).endpoints),
                         fmt::format("{}", endpoints.size()));
    std::vector<int> routers;
    for (int i = 0; i < 2 * q * q; ++i) routers.push_back(fabric.add_switch(lane.link_class, 1, plane));
    const auto router = [&](int side, int x, int y) { return routers[std::size_t((side * q + x) * q + y)]; };
    for (std::size_t e = 0; e < endpoints.size(); ++e)
        fabric.connect(endpoints[e], routers[e / std::size_t(shape.endpoints_per_router)], lane, plane);
    const Generators sets = generators(q);
    for (int x = 0; x < q; ++x)
        for (int y = 0; y < q; ++y) {
            for (int other = y + 1; other < q; ++other) {
                if (sets.even.count(other - y)) fabric.connect(router(0, x, y), router(0, x, other), lane, plane);
                if (sets.odd.count(other - y)) fabric.connect(router(1, x, y), router(1, x, other), lane, plane);
            }
            for (int m = 0; m < q; ++m)
                fabric.connect(router(0, x, y), router(1, m, ((y - m * x) % q + q) % q), lane, plane);
        }
}

}  // namespace strata
