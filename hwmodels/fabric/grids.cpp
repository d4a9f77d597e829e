// Shapes on a grid: HyperX, the full mesh along each axis, and the torus. Places are numbered with the first side
// fastest.
#include <fmt/format.h>

#include <numeric>

#include "hwmodels/fabric/shapes.hpp"

namespace strata {

namespace {

// As a double: a product of sides from a file may be beyond any integer.
double places(const std::vector<int>& sides) {
    return std::accumulate(sides.begin(), sides.end(), 1.0, [](double n, int side) { return n * side; });
}

void require_sides(const char* shape, const std::vector<int>& sides, std::size_t endpoints, int per_place) {
    for (const int side : sides)
        if (side < 1) throw InputError(shape, "sides of 1 or more", fmt::format("{}", side));
    if (sides.empty() || per_place < 1 || places(sides) * per_place < static_cast<double>(endpoints))
        throw InputError(shape, fmt::format("a grid for {} endpoints", endpoints),
                         fmt::format("{} with {} at a place", fmt::join(sides, " x "), per_place));
}

// A direct shape has an endpoint at each place.
void require_full(const char* shape, const std::vector<int>& sides, std::size_t endpoints) {
    require_sides(shape, sides, endpoints, 1);
    if (places(sides) != static_cast<double>(endpoints))
        throw InputError(shape, fmt::format("as many endpoints as places: {}", places(sides)),
                         fmt::format("{}", endpoints));
}

void mesh(Fabric& fabric, std::span<const int> vertices, const std::vector<int>& sides, const Wire& lane, int plane,
          int lanes) {
    std::size_t stride = 1;
    for (const int side : sides) {
        for (std::size_t v = 0; v < vertices.size(); ++v)
            for (std::size_t at = v / stride % std::size_t(side), step = 1; at + step < std::size_t(side); ++step)
                fabric.connect(vertices[v], vertices[v + step * stride], lane, plane, lanes);
        stride *= std::size_t(side);
    }
}

}  // namespace

void join(Fabric& fabric, std::span<const int> endpoints, const HyperX& shape, const Wire& lane, int plane) {
    require_sides("HyperX", shape.sides, endpoints.size(), shape.endpoints_per_router);
    std::vector<int> routers;
    for (double i = 0; i < places(shape.sides); ++i) routers.push_back(fabric.add_switch(lane.link_class, 1, plane));
    for (std::size_t e = 0; e < endpoints.size(); ++e)
        fabric.connect(endpoints[e], routers[e / std::size_t(shape.endpoints_per_router)], lane, plane);
    mesh(fabric, routers, shape.sides, lane, plane, shape.lanes);
}

void join(Fabric& fabric, std::span<const int> endpoints, const FullMesh& shape, const Wire& lane, int plane) {
    require_full("full mesh", shape.sides, endpoints.size());
    mesh(fabric, endpoints, shape.sides, lane, plane, 1);
    fabric.layer(lane.link_class).direct = true;
}

void join(Fabric& fabric, std::span<const int> endpoints, const Torus& shape, const Wire& lane, int plane) {
    require_full("torus", shape.sides, endpoints.size());
    std::size_t stride = 1;
    for (const int side : shape.sides) {
        const auto n = static_cast<std::size_t>(side);
        for (std::size_t v = 0; v < endpoints.size(); ++v) {
            const std::size_t at = v / stride % n;
            if (n == 1 || (n == 2 && at == 1)) continue;
            const std::size_t next = at + 1 < n ? v + stride : v - at * stride;
            fabric.connect(endpoints[v], endpoints[next], lane, plane, n == 2 ? 2 : 1);
        }
        stride *= n;
    }
    fabric.layer(lane.link_class).direct = true;
}

int lanes_of_an_endpoint(const Shape& shape) {
    struct Count {
        int operator()(const FatTree& s) const { return s.planes * s.lanes; }
        int operator()(const Dragonfly&) const { return 1; }
        int operator()(const SlimFly&) const { return 1; }
        int operator()(const HyperX&) const { return 1; }
        int operator()(const FullMesh& s) const {
            int lanes = 0;
            for (const int side : s.sides) lanes += side - 1;
            return lanes;
        }
        int operator()(const Torus& s) const {
            int lanes = 0;
            for (const int side : s.sides) lanes += side > 1 ? 2 : 0;
            return lanes;
        }
    };
    return std::max(1, std::visit(Count(), shape));
}

bool is_direct(const Shape& shape) {
    return std::holds_alternative<FullMesh>(shape) || std::holds_alternative<Torus>(shape);
}

}  // namespace strata
