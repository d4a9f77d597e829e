#include "hwmodels/fabric/shapes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/properties.hpp"
#include "hwmodels/fabric/router.hpp"

namespace strata {
namespace {

constexpr Wire kWire{.link_class = LinkClass::scale_out, .bandwidth = 1.0_GBps};

template <class Shape>
Fabric wired(int endpoints, const Shape& shape) {
    Fabric fabric("test", endpoints, 1);
    join(fabric, first_ranks(endpoints), shape, kWire);
    return fabric;
}

double bisection_in_wires(const Fabric& fabric) { return bisection(fabric, {LinkClass::scale_out}) / 1.0_GBps; }
int diameter(const Fabric& fabric) { return diameter(fabric, LinkClass::scale_out); }

template <class Shape>
std::string refusal(int endpoints, const Shape& shape) {
    try {
        wired(endpoints, shape);
        return "none";
    } catch (const InputError& error) {
        return error.what();
    }
}

// "Insights into DeepSeek-V3" (arXiv 2505.09343), table 3: 64-port switches of 400 Gb/s.
struct Published {
    const char* name;
    Inventory counted;
    long endpoints, switches, links;
    double cost_musd, kusd_per_endpoint;
};

std::vector<Published> cost_table() {
    const auto count = [](const Fabric& fabric) { return inventory(fabric, LinkClass::scale_out); };
    // No Slim Fly of q = 28 exists, because 28 is no power of a prime: the table counts by the formulas, and so do we.
    const SlimFlySize slim = slim_fly_size(28, 21);
    return {{"FT2", count(wired(2048, FatTree{.levels = 2, .radix = 64})), 2048, 96, 2048, 9, 4.39},
            {"MPFT", count(wired(2048, FatTree{.levels = 2, .radix = 64, .planes = 8})), 16384, 768, 16384, 72, 4.39},
            {"FT3", count(wired(65536, FatTree{.levels = 3, .radix = 64})), 65536, 5120, 131072, 491, 7.5},
            {"SF", {slim.switches, slim.inter_switch_links, slim.endpoints}, 32928, 1568, 32928, 146, 4.4},
            {"DF", count(wired(261632, Dragonfly{32, 16, 16, 511})), 261632, 16352, 384272, 1522, 5.8}};
}

TEST(FabricCost, has_the_switches_and_links_of_the_published_table) {
    for (const Published& row : cost_table()) {
        EXPECT_EQ(row.counted.switches, row.switches) << row.name;
        EXPECT_EQ(row.counted.inter_switch_links, row.links) << row.name;
        EXPECT_EQ(row.counted.endpoint_links, row.endpoints) << row.name;
    }
}

TEST(FabricCost, is_within_two_percent_of_the_published_table_at_the_prices_that_it_implies) {
    // Two prices behind its five rows of cost and of cost for an endpoint, by least squares of the relative errors.
    FabricPrices prices;
    prices.switch_usd.value = 82'946;
    prices.inter_switch_link_usd.value = 481;
    for (const Published& row : cost_table()) {
        const FabricBill cost = bill(row.counted, row.endpoints, prices);
        EXPECT_NEAR(*cost.usd / 1e6, row.cost_musd, 0.02 * row.cost_musd) << row.name;
        EXPECT_NEAR(*cost.usd_per_endpoint / 1e3, row.kusd_per_endpoint, 0.02 * row.kusd_per_endpoint) << row.name;
        EXPECT_FALSE(cost.power_w) << "nobody has published it";
    }
}

TEST(FatTreeShape, has_the_diameter_of_its_levels_and_half_of_its_endpoints_as_bisection) {
    const Fabric one = wired(16, FatTree{.levels = 1, .radix = 16, .planes = 3});
    EXPECT_EQ(diameter(one), 2);
    EXPECT_DOUBLE_EQ(bisection_in_wires(one), 8 * 3);
    const Fabric two = wired(128, FatTree{.levels = 2, .radix = 16});
    EXPECT_EQ(diameter(two), 4);
    EXPECT_DOUBLE_EQ(bisection_in_wires(two), 64);
    const Fabric three = wired(128, FatTree{.levels = 3, .radix = 8});
    EXPECT_EQ(diameter(three), 6);
    EXPECT_DOUBLE_EQ(bisection_in_wires(three), 64);
    EXPECT_EQ(inventory(three, LinkClass::scale_out).switches, 5 * 8 * 8 / 4);
}

TEST(FatTreeShape, with_fewer_uplinks_has_less_bisection) {
    // 8 leaves of 12 endpoints and 4 uplinks: a third.
    const Fabric fabric = wired(96, FatTree{.levels = 2, .radix = 16, .leaf_endpoints = 12, .uplinks = 4});
    EXPECT_DOUBLE_EQ(bisection_in_wires(fabric), 96 / 2 / 3);
}

TEST(FatTreeShape, that_is_not_full_has_no_switch_with_more_links_than_ports) {
    for (const int endpoints : {40, 72, 100}) {
        const Fabric fabric = wired(endpoints, FatTree{.levels = 2, .radix = 16});
        std::vector<int> ports(static_cast<std::size_t>(fabric.vertices()));
        for (const FabricLink& link : fabric.links()) ports[static_cast<std::size_t>(link.from)] += link.lanes;
        for (int v = endpoints; v < fabric.vertices(); ++v) EXPECT_LE(ports[static_cast<std::size_t>(v)], 16);
        EXPECT_DOUBLE_EQ(bisection_in_wires(fabric), endpoints / 2);
    }
}

TEST(FatTreeShape, refuses_what_its_ports_cannot_join) {
    EXPECT_EQ(refusal(17, FatTree{.levels = 1, .radix = 16}),
              "fat tree: expected as many endpoints as one switch has ports, found 17 endpoints at 16 to a switch");
    EXPECT_EQ(refusal(129, FatTree{.levels = 2, .radix = 16}),
              "fat tree: expected no more leaves than a spine has ports, found 17 leaves, 16 ports");
    EXPECT_NE(refusal(8, FatTree{.levels = 4}).find("expected 1 to 3 levels, found 4"), std::string::npos);
    EXPECT_NE(refusal(8, FatTree{.radix = 16, .leaf_endpoints = 12}).find("found 12 x 1 down and 8 up of 16"),
              std::string::npos);
}

TEST(DragonflyShape, has_three_links_between_routers_and_one_between_groups) {
    // 4 groups of 3 routers, each with 2 endpoints and one global port: every pair of groups has one link.
    const Fabric fabric = wired(24, Dragonfly{3, 2, 1, 4});
    EXPECT_EQ(diameter(fabric), 5);
    EXPECT_EQ(inventory(fabric, LinkClass::scale_out).inter_switch_links, 4 * 3 + 6);
    EXPECT_DOUBLE_EQ(bisection_in_wires(fabric), 2 * 2);
    EXPECT_EQ(diameter(wired(72, Dragonfly{4, 2, 2, 9})), 5);
}

TEST(DragonflyShape, uses_every_global_port_once) {
    for (const int groups : {2, 3, 5, 8, 9}) {
        const Fabric fabric = wired(8, Dragonfly{4, 2, 2, groups});
        std::vector<int> ports(static_cast<std::size_t>(fabric.vertices()));
        for (const FabricLink& link : fabric.links())
            if (fabric.is_switch(link.from) && fabric.is_switch(link.to)) ++ports[static_cast<std::size_t>(link.from)];
        for (int v = 8; v < fabric.vertices(); ++v) EXPECT_EQ(ports[static_cast<std::size_t>(v)], 3 + 2) << groups;
    }
    EXPECT_NE(refusal(8, Dragonfly{4, 2, 2, 10}).find("found 10 groups"), std::string::npos);
}

TEST(SlimFlyShape, has_every_router_two_links_away_for_either_kind_of_prime) {
    for (const int q : {5, 7, 11, 13}) {  // 4 w + 1 and 4 w - 1
        const Fabric fabric = wired(2 * q * q, SlimFly{q, 1});
        EXPECT_EQ(diameter(fabric), 2 + 2) << q;
        const SlimFlySize size = slim_fly_size(q, 1);
        EXPECT_EQ(inventory(fabric, LinkClass::scale_out).switches, size.switches);
        EXPECT_EQ(inventory(fabric, LinkClass::scale_out).inter_switch_links, size.inter_switch_links);
    }
    EXPECT_NE(refusal(8, SlimFly{28, 1}).find("expected a prime q"), std::string::npos);
}

TEST(SlimFlyShape, has_at_least_the_bisection_of_its_spectrum) {
    // q = 5 is the Hoffman-Singleton graph: 7 links a router and second eigenvalue 2, so that a halving of its 50
    // routers cuts at least 50 / 4 (7 - 2) links. Five endpoints a router are more than that.
    const double links = bisection_in_wires(wired(250, SlimFly{5, 5}));
    EXPECT_GE(links, 62.5);
    EXPECT_LE(links, 125);
}

TEST(GridShapes, have_the_diameter_and_bisection_of_their_sides) {
    // Torus 4 x 4 x 6: half of each side is the farthest; halving the last side cuts two rings' links for each of 16.
    const Fabric torus = wired(96, Torus{{4, 4, 6}});
    EXPECT_EQ(diameter(torus), 2 + 2 + 3);
    EXPECT_DOUBLE_EQ(bisection_in_wires(torus), 2 * 16);
    EXPECT_EQ(inventory(torus, LinkClass::scale_out).endpoint_links, 3 * 96);
    const Fabric ring_of_two = wired(2, Torus{{2}});
    EXPECT_EQ(ring_of_two.link(0).lanes, 2);
    // Full mesh 4 x 6: one link along each axis; each of 4 columns of 6 has 3 x 3 links between its halves.
    const Fabric mesh = wired(24, FullMesh{{4, 6}});
    EXPECT_EQ(diameter(mesh), 2);
    EXPECT_DOUBLE_EQ(bisection_in_wires(mesh), 4 * 9);
    // Flattened butterfly 4 x 4 with 8 endpoints a router: 4 columns with 2 x 2 links, less than the 64 endpoints.
    const Fabric butterfly = wired(128, HyperX{.sides = {4, 4}, .endpoints_per_router = 8});
    EXPECT_EQ(diameter(butterfly), 2 + 2);
    EXPECT_DOUBLE_EQ(bisection_in_wires(butterfly), 16);
    EXPECT_DOUBLE_EQ(bisection_in_wires(wired(128, HyperX{{4, 4}, 8, 3})), 48);
    EXPECT_NE(refusal(95, Torus{{4, 4, 6}}).find("expected as many endpoints as places: 96"), std::string::npos);
    EXPECT_NE(refusal(95, FullMesh{{0}}).find("expected sides of 1 or more"), std::string::npos);
}

TEST(Router, finds_all_shortest_routes_and_hashes_flows_onto_one_of_them_the_same_way_each_time) {
    const Fabric fabric = wired(128, FatTree{.levels = 3, .radix = 8});
    const Router router(fabric, LinkClass::scale_out);
    EXPECT_EQ(router.minimal_paths(0, 1).size(), 1u);
    EXPECT_EQ(router.minimal_paths(0, 5).size(), 4u);
    const auto paths = router.minimal_paths(0, 127);
    EXPECT_EQ(paths.size(), 16u);
    EXPECT_EQ(router.hops(0, 127), 6);
    std::vector<int> hashed;
    for (const LinkShare& s : router.shares(0, 127, Routing::hashed)) hashed.push_back(s.link);
    EXPECT_NE(std::find(paths.begin(), paths.end(), hashed), paths.end());
    const Fabric again = wired(128, FatTree{.levels = 3, .radix = 8});
    for (std::size_t i = 0; i < hashed.size(); ++i)
        EXPECT_EQ(Router(again, LinkClass::scale_out).shares(0, 127, Routing::hashed)[i].link, hashed[i]);
}

TEST(Router, hashes_flows_evenly_over_the_uplinks) {
    // 64 x 64 flows between two leaves with 64 uplinks: 64 a link on average, standard deviation 8.
    const Fabric fabric = wired(128, FatTree{.levels = 2, .radix = 128});
    const Router router(fabric, LinkClass::scale_out);
    std::vector<int> flows(fabric.links().size());
    for (int from = 0; from < 64; ++from)
        for (int to = 64; to < 128; ++to)
            for (const LinkShare& s : router.shares(from, to, Routing::hashed))
                ++flows[static_cast<std::size_t>(s.link)];
    int lanes = 0;
    for (std::size_t l = 0; l < flows.size(); ++l) {
        const FabricLink& link = fabric.links()[l];
        if (link.from != fabric.endpoints()) continue;  // the first leaf
        if (!fabric.is_switch(link.to)) continue;
        EXPECT_NEAR(flows[l], 64 * link.lanes, 5 * 8 * std::sqrt(link.lanes));
        lanes += link.lanes;
    }
    EXPECT_EQ(lanes, 64);
}

TEST(Router, sprays_a_whole_flow_over_every_step_of_the_way) {
    const Fabric fabric = wired(72, Dragonfly{4, 2, 2, 9});
    const Router router(fabric, LinkClass::scale_out);
    for (const Routing routing : {Routing::sprayed, Routing::valiant, Routing::hashed}) {
        double out = 0, in = 0;
        for (const LinkShare& s : router.shares(3, 60, routing)) {
            EXPECT_GT(s.share, 0);
            if (fabric.link(s.link).from == 3) out += s.share;
            if (fabric.link(s.link).to == 60) in += s.share;
        }
        EXPECT_NEAR(out, 1, 1e-12);
        EXPECT_NEAR(in, 1, 1e-12);
    }
}

TEST(Router, forwards_through_endpoints_only_where_they_are_wired_to_each_other) {
    Fabric two_homes("two homes", 3, 1);  // endpoint 1 is on both switches
    const int a = two_homes.add_switch(LinkClass::scale_out, 1, 0),
              b = two_homes.add_switch(LinkClass::scale_out, 1, 1);
    two_homes.connect(0, a, kWire);
    two_homes.connect(1, a, kWire);
    two_homes.connect(1, b, kWire, 1);
    two_homes.connect(2, b, kWire, 1);
    const Router router(two_homes, LinkClass::scale_out);
    EXPECT_EQ(router.hops(0, 1), 2);
    EXPECT_EQ(router.hops(0, 2), std::nullopt);
    EXPECT_THROW(router.shares(0, 2, Routing::sprayed), InputError);
    const Fabric ring = wired(9, Torus{{9}});
    EXPECT_EQ(Router(ring, LinkClass::scale_out).hops(0, 4), 4);
}

}  // namespace
}  // namespace strata
