// Fair sharing of links by flows: hand-made cases, and the laws that hold for any.
#include <gtest/gtest.h>

#include <algorithm>

#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/flow_folding.hpp"
#include "hwmodels/fabric/flow_simulation.hpp"
#include "hwmodels/fabric/properties.hpp"
#include "hwmodels/fabric/shapes.hpp"
#include "hwmodels/fabric/traffic.hpp"
#include "kernels/mixed_bits.hpp"

namespace strata {
namespace {

template <class Shape>
Fabric joined(int endpoints, const Shape& shape, Bandwidth bandwidth = 1.0_GBps) {
    Fabric fabric("test", endpoints, 1);
    join(fabric, first_ranks(endpoints), shape, {.link_class = LinkClass::scale_out, .bandwidth = bandwidth});
    return fabric;
}

std::vector<TrafficDemand> everyone_to_everyone(int n, Bytes bytes) {
    std::vector<TrafficDemand> demands;
    for (int from = 0; from < n; ++from)
        for (int to = 0; to < n; ++to)
            if (from != to) demands.push_back({from, to, bytes});
    return demands;
}

// Pairs and sizes of 1 to 100 MB without a pattern.
std::vector<TrafficDemand> scattered(int n, int count, std::uint64_t seed) {
    std::vector<TrafficDemand> demands;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t bits = mixed_bits(seed * 1000 + std::uint64_t(i));
        const int from = int(bits % std::uint64_t(n)), to = int((bits >> 20) % std::uint64_t(n));
        if (from != to) demands.push_back({from, to, Bytes(double(1 + (bits >> 40) % 100) * 1e6)});
    }
    return demands;
}

std::vector<Flow> flows_of(const Fabric& fabric, const std::vector<TrafficDemand>& demands, Routing routing) {
    const Router router(fabric, LinkClass::scale_out);
    std::vector<Flow> flows;
    for (const TrafficDemand& d : demands)
        flows.push_back({.bytes = d.bytes, .shares = router.shares(d.from, d.to, routing), .latency = {}});
    return flows;
}

FlowTimes played(const Fabric& fabric, const std::vector<TrafficDemand>& demands, Routing routing,
                 Folding folding = Folding::symmetric) {
    return flow_times(capacities(fabric), flows_of(fabric, demands, routing), folding);
}

LinkLoads loads_of(const Fabric& fabric, const std::vector<TrafficDemand>& demands, Routing routing) {
    LinkLoads loads(fabric);
    loads.add(Router(fabric, LinkClass::scale_out), demands, routing);
    return loads;
}

struct Case {
    const char* name;
    Fabric fabric;
};
std::vector<Case> small_fabrics() {
    std::vector<Case> cases;
    cases.push_back({"crossbars", joined(8, FatTree{.levels = 1, .radix = 8, .planes = 2})});
    cases.push_back({"tapered fat tree",
                     joined(24, FatTree{.levels = 2, .radix = 8, .planes = 2, .leaf_endpoints = 6, .uplinks = 2})});
    cases.push_back({"fat tree of three levels", joined(16, FatTree{.levels = 3, .radix = 4})});
    cases.push_back({"dragonfly", joined(24, Dragonfly{3, 2, 1, 4})});
    cases.push_back({"slim fly", joined(20, SlimFly{5, 1})});
    cases.push_back({"butterfly", joined(18, HyperX{.sides = {3, 3}, .endpoints_per_router = 2})});
    cases.push_back({"full mesh", joined(12, FullMesh{{3, 4}})});
    cases.push_back({"torus", joined(24, Torus{{2, 3, 4}})});
    return cases;
}
constexpr Routing kRoutings[] = {Routing::hashed, Routing::sprayed, Routing::valiant};

TEST(FlowTimes, a_flow_alone_has_the_whole_link_and_arrives_a_latency_later) {
    const FlowTimes times = flow_times({2.0_GBps}, {{.bytes = 4.0_GB, .shares = {{0, 1}}, .latency = Seconds(0.5)}});
    EXPECT_DOUBLE_EQ(times.time.si(), 2.5);
    EXPECT_DOUBLE_EQ(times.most_used, 1);
}

TEST(FlowTimes, what_a_flow_cannot_use_goes_to_the_others) {
    // Links of 1 and 3 GB/s. Flows: A on the first, B on both, C on the second. A and B share the first, 0.5 each; C
    // has 2.5. C's 5 GB end at 2 s; A's and B's 1 GB too.
    const std::vector<Flow> flows{{.bytes = 1.0_GB, .shares = {{0, 1}}},
                                  {.bytes = 1.0_GB, .shares = {{0, 1}, {1, 1}}},
                                  {.bytes = 5.0_GB, .shares = {{1, 1}}}};
    const FlowTimes times = flow_times({1.0_GBps, 3.0_GBps}, flows);
    EXPECT_EQ(times.events, 1);
    for (const Seconds arrival : times.arrival) EXPECT_NEAR(arrival.si(), 2, 1e-9);
}

TEST(FlowTimes, rates_are_found_anew_when_a_flow_ends) {
    // 1 and 3 GB on one link of 1 GB/s: half each until 2 s, then the second has it alone and ends with its last 2 GB.
    const FlowTimes times =
        flow_times({1.0_GBps}, {{.bytes = 1.0_GB, .shares = {{0, 1}}}, {.bytes = 3.0_GB, .shares = {{0, 1}}}});
    EXPECT_NEAR(times.arrival[0].si(), 2, 1e-9);
    EXPECT_NEAR(times.arrival[1].si(), 4, 1e-9);
    EXPECT_EQ(times.events, 2);
}

TEST(FlowTimes, a_spread_flow_takes_of_each_link_its_share) {
    // Three quarters over a link of 1 GB/s, a quarter over another: the first allows 4/3 GB/s.
    const FlowTimes times = flow_times({1.0_GBps, 1.0_GBps}, {{.bytes = 4.0_GB, .shares = {{0, 0.75}, {1, 0.25}}}});
    EXPECT_NEAR(times.time.si(), 3, 1e-9);
}

TEST(FlowTimes, nothing_takes_no_time_and_links_that_are_not_there_are_our_mistake) {
    EXPECT_EQ(flow_times({1.0_GBps}, {}).time, Seconds(0));
    EXPECT_EQ(flow_times({1.0_GBps}, {{.bytes = 1.0_GB}}).time, Seconds(0));
    EXPECT_THROW(flow_times({1.0_GBps}, {{.bytes = 1.0_GB, .shares = {{1, 1}}}}), std::logic_error);
    EXPECT_THROW(flow_times({0.0_GBps}, {{.bytes = 1.0_GB, .shares = {{0, 1}}}}), std::logic_error);
}

TEST(FlowTimes, folded_flows_end_when_each_by_itself_would) {
    for (const auto& [name, fabric] : small_fabrics())
        for (const Routing routing : kRoutings) {
            std::vector<TrafficDemand> demands = everyone_to_everyone(fabric.endpoints(), Bytes(1e6));
            for (std::size_t i = 0; i < demands.size(); i += 3) demands[i].bytes = Bytes(5e6);
            const FlowTimes each = played(fabric, demands, routing, Folding::none);
            const FlowTimes folded = played(fabric, demands, routing);
            ASSERT_EQ(folded.arrival.size(), demands.size());
            for (std::size_t f = 0; f < demands.size(); ++f)
                ASSERT_NEAR(folded.arrival[f] / each.arrival[f], 1, 1e-9) << name << " flow " << f;
            for (std::size_t l = 0; l < each.carried.size(); ++l)
                ASSERT_NEAR(folded.carried[l].si(), each.carried[l].si(), 1) << name << " link " << l;
        }
}

TEST(FlowTimes, symmetric_flows_fold_into_few) {
    const Fabric fabric = joined(64, FatTree{.levels = 2, .radix = 16});
    const auto flows = flows_of(fabric, everyone_to_everyone(64, Bytes(1e6)), Routing::sprayed);
    const FlowClasses classes = flow_classes(capacities(fabric), flows);
    EXPECT_EQ(classes.flows, 2);  // under one leaf, and between two
    EXPECT_EQ(classes.links, 2);  // of each level: as much goes up as down
}

// The reason why all-to-alls need no simulation.
TEST(LinkLoads, flows_of_the_same_bytes_end_when_the_busiest_link_has_carried_all) {
    for (const auto& [name, fabric] : small_fabrics())
        for (const Routing routing : kRoutings) {
            const auto demands = everyone_to_everyone(fabric.endpoints(), Bytes(1e6));
            const FlowTimes times = played(fabric, demands, routing, Folding::none);
            EXPECT_NEAR(loads_of(fabric, demands, routing).busiest().time / times.time, 1, 1e-9) << name;
        }
}

TEST(LinkLoads, are_the_sums_of_the_flows_shares) {
    for (const auto& [name, fabric] : small_fabrics())
        for (const Routing routing : kRoutings) {
            const auto demands = scattered(fabric.endpoints(), 60, 7);
            const LinkLoads loads = loads_of(fabric, demands, routing);
            std::vector<double> sums(fabric.links().size());
            for (const Flow& flow : flows_of(fabric, demands, routing))
                for (const LinkShare& s : flow.shares) sums[std::size_t(s.link)] += flow.bytes.si() * s.share;
            for (std::size_t l = 0; l < sums.size(); ++l) ASSERT_NEAR(loads.bytes()[l].si(), sums[l], 1e-3) << name;
        }
}

TEST(FlowPhysics, bytes_are_conserved_and_no_link_is_used_beyond_its_bandwidth) {
    for (const auto& [name, fabric] : small_fabrics())
        for (const Routing routing : kRoutings)
            for (const std::uint64_t seed : {1, 2, 3}) {
                const auto demands = scattered(fabric.endpoints(), 80, seed);
                const FlowTimes times = played(fabric, demands, routing);
                EXPECT_LE(times.most_used, 1 + 1e-9) << name;
                EXPECT_GT(times.most_used, 1 - 1e-9) << name << ": some link limits each flow";
                std::vector<double> balance(static_cast<std::size_t>(fabric.vertices()));
                for (std::size_t l = 0; l < times.carried.size(); ++l) {
                    balance[std::size_t(fabric.links()[l].to)] += times.carried[l].si();
                    balance[std::size_t(fabric.links()[l].from)] -= times.carried[l].si();
                }
                for (const TrafficDemand& d : demands) {
                    balance[std::size_t(d.from)] += d.bytes.si();
                    balance[std::size_t(d.to)] -= d.bytes.si();
                }
                for (const double left : balance) EXPECT_NEAR(left, 0, 10) << name;  // of some 10^9 bytes
            }
}

TEST(FlowPhysics, is_never_below_the_floor_of_the_wires) {
    for (const auto& [name, fabric] : small_fabrics())
        for (const Routing routing : kRoutings)
            for (const std::uint64_t seed : {4, 5, 6}) {
                const auto demands = scattered(fabric.endpoints(), 80, seed);
                const Seconds time = played(fabric, demands, routing).time * (1 + 1e-9);
                EXPECT_GE(time, loads_of(fabric, demands, routing).busiest().time) << name;
                Bytes across;  // from the first half to the second, whatever the routes
                for (const TrafficDemand& d : demands)
                    if (d.from < fabric.endpoints() / 2 && d.to >= fabric.endpoints() / 2) across += d.bytes;
                EXPECT_GE(time, across / bisection(fabric, {LinkClass::scale_out})) << name;
            }
}

TEST(FlowPhysics, every_flow_has_a_link_that_is_full_where_no_flow_is_faster) {
    // What makes rates max-min fair (Bertsekas and Gallager, section 6.5.2).
    for (const auto& [name, fabric] : small_fabrics())
        for (const Routing routing : kRoutings) {
            const std::vector<Flow> flows = flows_of(fabric, scattered(fabric.endpoints(), 60, 9), routing);
            const std::vector<Bandwidth> capacity = capacities(fabric), rates = fair_rates(capacity, flows);
            std::vector<double> used(capacity.size()), fastest(capacity.size());
            for (std::size_t f = 0; f < flows.size(); ++f)
                for (const LinkShare& s : flows[f].shares) {
                    used[std::size_t(s.link)] += s.share * rates[f].si();
                    fastest[std::size_t(s.link)] = std::max(fastest[std::size_t(s.link)], rates[f].si());
                }
            for (std::size_t f = 0; f < flows.size(); ++f)
                EXPECT_TRUE(std::any_of(flows[f].shares.begin(), flows[f].shares.end(),
                                        [&](const LinkShare& s) {
                                            const auto l = std::size_t(s.link);
                                            return used[l] > capacity[l].si() * (1 - 1e-9) &&
                                                   fastest[l] < rates[f].si() * (1 + 1e-9);
                                        }))
                    << name << " flow " << f;
        }
}

TEST(FlowPhysics, more_bandwidth_is_never_slower) {
    for (const Routing routing : kRoutings)
        for (const std::uint64_t seed : {10, 11}) {
            const auto demands = scattered(24, 80, seed);
            const Fabric slow = joined(24, Torus{{2, 3, 4}}), fast = joined(24, Torus{{2, 3, 4}}, 2.0_GBps);
            EXPECT_NEAR(played(slow, demands, routing).time / played(fast, demands, routing).time, 2, 1e-9);
        }
    // One link alone made faster: of equal flows none ends later.
    const Fabric fabric = joined(24, Dragonfly{3, 2, 1, 4});
    const auto flows = flows_of(fabric, everyone_to_everyone(24, Bytes(1e6)), Routing::sprayed);
    std::vector<Bandwidth> capacity = capacities(fabric);
    const Seconds before = flow_times(capacity, flows).time;
    for (std::size_t l = 0; l < capacity.size(); l += 7) {
        capacity[l] = 4.0_GBps;
        EXPECT_LE(flow_times(capacity, flows).time, before * (1 + 1e-9));
        capacity[l] = 1.0_GBps;
    }
}

TEST(ValiantRouting, spreads_what_all_send_to_the_next_group_over_all_groups) {
    // 9 groups of 4 routers with 2 endpoints. Most of the 8 flows of a group have their only shortest route over its
    // one link to the next; Valiant's use all 8 of its global links, and those of other groups on the way.
    const Fabric fabric = joined(72, Dragonfly{4, 2, 2, 9});
    std::vector<TrafficDemand> demands;
    for (int e = 0; e < 72; ++e) demands.push_back({e, (e + 8) % 72, 1.0_GB});
    const double shortest = played(fabric, demands, Routing::sprayed).time.si();
    const double valiant = played(fabric, demands, Routing::valiant).time.si();
    EXPECT_GT(shortest, 5);
    EXPECT_LT(valiant, shortest / 2);
    EXPECT_GE(valiant, 16.0 / 9);  // 8 of 9 stops are in other groups than the source, and than the destination
}

}  // namespace
}  // namespace strata
