// The shapes that a fabric can have. Each joins endpoints of a fabric by links and switches of one layer; a fabric of
// several layers or planes is joined several times. Sizes that cannot be built throw InputError.
#pragma once

#include <compare>
#include <span>
#include <variant>
#include <vector>

#include "hwmodels/fabric/fabric.hpp"

namespace strata {

// Folded Clos of one to three levels (Al-Fares et al., SIGCOMM 2008), in one or several planes that every endpoint is
// wired to. One level is a set of crossbars: NVSwitch, or the UB switches of a board. Two levels in seven planes are
// CloudMatrix384's UB. Missing ports follow from the radix: half of a leaf's go up.
struct FatTree {
    int levels = 2;
    int radix = 64;          // ports of a switch
    int planes = 1;          // copies of the tree; each endpoint has a port in each
    int lanes = 1;           // ports of an endpoint in a plane
    int leaf_endpoints = 0;  // under one leaf; 0: what half of the radix takes
    int uplinks = 0;         // of a leaf; 0: half of the radix
    int spine_radix = 0;     // of the top level; 0: the radix
    auto operator<=>(const FatTree&) const = default;
};

// Groups of `routers` that are wired all to all, and groups wired to each other by `global_ports` of each router (Kim
// et al., ISCA 2008). Groups may number up to routers x global_ports + 1; what is left over doubles links between
// groups.
struct Dragonfly {
    int routers = 4;  // of a group
    int endpoints_per_router = 2;
    int global_ports = 2;  // of a router
    int groups = 9;
    auto operator<=>(const Dragonfly&) const = default;
};

// Two routers apart at most, near the Moore bound: McKay-Miller-Siran graphs over GF(q), q prime, q = 4w +- 1 (Besta
// and Hoefler, SC 2014, section II-B).
struct SlimFly {
    int q = 5;
    int endpoints_per_router = 4;
    auto operator<=>(const SlimFly&) const = default;
};

// Routers on a grid, wired all to all along each axis: HyperX (Ahn et al., SC 2009); with equal sides, a flattened
// butterfly (Kim et al., ISCA 2007).
struct HyperX {
    std::vector<int> sides{};
    int endpoints_per_router = 1;
    int lanes = 1;  // between two routers
    auto operator<=>(const HyperX&) const = default;
};

// Endpoints on a grid, each wired to all others of its row along each axis (UB-Mesh's nD full mesh).
struct FullMesh {
    std::vector<int> sides{};
    auto operator<=>(const FullMesh&) const = default;
};

// Endpoints on a grid with rings along each axis (TPU v4 and later: three axes). A side of two has both cables of its
// ring between the same two endpoints.
struct Torus {
    std::vector<int> sides{};
    auto operator<=>(const Torus&) const = default;
};

using Shape = std::variant<FatTree, Dragonfly, SlimFly, HyperX, FullMesh, Torus>;

// Endpoints take the places of the shape in the order given; on grids the first side varies fastest. `plane` is the
// number of the first plane.
void join(Fabric& fabric, std::span<const int> endpoints, const FatTree& shape, const Wire& lane, int plane = 0);
void join(Fabric& fabric, std::span<const int> endpoints, const Dragonfly& shape, const Wire& lane, int plane = 0);
void join(Fabric& fabric, std::span<const int> endpoints, const SlimFly& shape, const Wire& lane, int plane = 0);
void join(Fabric& fabric, std::span<const int> endpoints, const HyperX& shape, const Wire& lane, int plane = 0);
void join(Fabric& fabric, std::span<const int> endpoints, const FullMesh& shape, const Wire& lane, int plane = 0);
void join(Fabric& fabric, std::span<const int> endpoints, const Torus& shape, const Wire& lane, int plane = 0);

// Into how many lanes the shape divides the bandwidth of an endpoint.
int lanes_of_an_endpoint(const Shape& shape);
// Whether endpoints are wired to each other and forward for each other.
bool is_direct(const Shape& shape);

// Switches and the links between them of a Slim Fly by its formulas, for any q: also where no graph exists, because q
// is no power of a prime. Published cost tables count so.
struct SlimFlySize {
    long switches = 0, inter_switch_links = 0, endpoints = 0;
};
SlimFlySize slim_fly_size(int q, int endpoints_per_router);

}  // namespace strata
