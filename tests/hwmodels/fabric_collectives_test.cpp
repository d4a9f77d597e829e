#include "hwmodels/fabric/collectives.hpp"

#include <gtest/gtest.h>

#include "hwmodels/fabric/fabric_spec.hpp"
#include "hwmodels/fabric/properties.hpp"

namespace strata {
namespace {

// Nothing but wires: times are bytes over bandwidth.
constexpr CollectiveTerms kWires{.startup = Seconds(0)};

FabricLayerSpec layer(Shape shape, Bandwidth bandwidth, Wiring wiring = Wiring::by_domain, int rail_planes = 1) {
    FabricLayerSpec spec{.shape = std::move(shape), .wiring = wiring, .planes = rail_planes, .reduces = true};
    spec.bandwidth.value = bandwidth;
    spec.latency.value = Seconds(0);
    spec.hop.value = Seconds(0);
    return spec;
}

// Domains of four: 4 GB/s inside, a network card of 1 GB/s each outside.
FabricSpec of_domains(int domains, Shape outside, Wiring wiring = Wiring::by_domain, int rail_planes = 1) {
    return {.name = "test",
            .file = {},
            .endpoints = 4 * domains,
            .domain = 4,
            .size_kind = {},
            .size_source = {},
            .scale_up = layer(FatTree{.levels = 1, .radix = 4}, 4.0_GBps),
            .scale_out = layer(std::move(outside), 1.0_GBps, wiring, rail_planes)};
}

Fabric one_switch(int endpoints, double GBps = 1) {
    FabricSpec spec{.name = "switch", .file = {}, .endpoints = endpoints, .domain = endpoints};
    spec.scale_up = layer(FatTree{.levels = 1, .radix = endpoints}, Bandwidth(GBps * 1e9));
    return build(spec);
}

const Shape kTree = FatTree{.levels = 2, .radix = 16};

TEST(AllToAll, on_one_switch_takes_what_a_port_sends) {
    // 7 others x 1 GB at 1 GB/s.
    const CollectiveTime time = all_to_all(one_switch(8), first_ranks(8), {.bytes = 1.0_GB}, kWires);
    EXPECT_NEAR(time.time.si(), 7, 1e-9);
    EXPECT_NEAR(to_GB(time.scale_up), 56, 1e-9);
    EXPECT_EQ(time.scale_out, Bytes(0));
}

TEST(AllToAll, is_the_sum_of_start_latency_wire_and_waiting) {
    Fabric fabric = one_switch(8);
    fabric.layer(LinkClass::scale_up).latency.value = Seconds(0.5);
    const CollectiveTime time = all_to_all(fabric, first_ranks(8), {.bytes = 1.0_GB},
                                           {.startup = Seconds(1), .synchronisation = 0.1, .jitter = 0.1});
    EXPECT_EQ(time.startup, Seconds(1));
    EXPECT_NEAR(time.latency.si(), 0.5, 1e-9);
    EXPECT_NEAR(time.wire.si(), 7, 1e-9);
    EXPECT_NEAR(time.waiting.si(), 7.5 * (0.1 + 0.1 * 2.0393), 1e-3);  // sqrt(2 ln 8) = 2.0393
    EXPECT_NEAR(time.time.si(), (time.startup + time.latency + time.wire + time.waiting).si(), 1e-12);
}

TEST(AllToAll, over_domains_is_limited_by_the_network_card) {
    // 4 domains of 4: 12 GB leave each rank at 1 GB/s; inside 3 GB at 4 GB/s.
    const Fabric fabric = build(of_domains(4, kTree));
    const CollectiveTime direct = all_to_all(fabric, first_ranks(16), {.bytes = 1.0_GB}, kWires);
    EXPECT_NEAR(direct.time.si(), 12, 1e-9);
    EXPECT_EQ(fabric.link(direct.bottleneck).link_class, LinkClass::scale_out);
    // Forwarded: as much outside; inside 3 ranks x 4 domains.
    const CollectiveTime forwarded =
        all_to_all(fabric, first_ranks(16), {.bytes = 1.0_GB, .crossing = Crossing::forwarded}, kWires);
    EXPECT_NEAR(forwarded.time.si(), 12, 1e-9);
    EXPECT_NEAR(to_GB(forwarded.scale_up), 16 * 3 * 4, 1e-9);
    EXPECT_NEAR(to_GB(forwarded.scale_out), 16 * 12, 1e-9);
}

// The same card of 1 GB/s as one plane or four; whether planes meet only in the cards or only inside the domain.
TEST(Planes, cost_nothing_where_traffic_is_spread_or_forwarded) {
    const AllToAll direct{.bytes = 1.0_GB}, forwarded{.bytes = 1.0_GB, .crossing = Crossing::forwarded};
    const Fabric one = build(of_domains(8, kTree));
    const Fabric four_in_each_card = build(of_domains(8, FatTree{.levels = 2, .radix = 16, .planes = 4}));
    const Fabric a_plane_for_a_card = build(of_domains(8, kTree, Wiring::rail_planes, 4));
    for (const Fabric* fabric : {&one, &four_in_each_card}) {
        EXPECT_NEAR(all_to_all(*fabric, first_ranks(32), direct, kWires).time.si(), 28, 1e-9);
        EXPECT_NEAR(all_to_all(*fabric, first_ranks(32), forwarded, kWires).time.si(), 28, 1e-9);
    }
    EXPECT_NEAR(all_to_all(a_plane_for_a_card, first_ranks(32), forwarded, kWires).time.si(), 28, 1e-9);
    try {
        all_to_all(a_plane_for_a_card, first_ranks(32), direct, kWires);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(
            std::string(error.what()).find("no route from endpoint 5 to 0 on scale_out: its planes are not joined"),
            std::string::npos)
            << error.what();
    }
}

TEST(Planes, lose_to_the_hash_where_a_flow_keeps_to_one) {
    const AllToAll what{.bytes = 1.0_GB};
    CollectiveTerms hashed = kWires;
    hashed.routing = Routing::hashed;
    const auto time = [&](int planes, const CollectiveTerms& terms) {
        return all_to_all(build(of_domains(8, FatTree{.levels = 2, .radix = 16, .planes = planes})), first_ranks(32),
                          what, terms)
            .time;
    };
    EXPECT_GT(time(4, hashed), time(4, kWires) * 1.2);
    EXPECT_GE(time(1, hashed), time(1, kWires));
}

TEST(Planes, rail_optimised_leaves_keep_a_rail_under_one_switch) {
    // 8 domains: the 8 of a rail are one leaf's endpoints, so that forwarded traffic takes two links instead of four.
    FabricSpec rails = of_domains(8, kTree, Wiring::by_rail), domains = of_domains(8, kTree);
    for (FabricSpec* spec : {&rails, &domains}) spec->scale_out->hop.value = Seconds(1);
    const AllToAll what{.bytes = 1.0_GB, .crossing = Crossing::forwarded};
    EXPECT_NEAR(all_to_all(build(rails), first_ranks(32), what, kWires).latency.si(), 0, 1e-9);
    EXPECT_NEAR(all_to_all(build(domains), first_ranks(32), what, kWires).latency.si(), 2, 1e-9);
}

TEST(ExpertExchange, goes_once_to_a_domain_and_is_copied_inside) {
    // 100 tokens of 1 MB from each of 16 ranks in 4 domains, each to 8 ranks in 2 domains: of the two domains one in
    // four is its own, so 150 MB cross; every copy otherwise: 8 x 3/4 of 100 MB.
    const Fabric fabric = build(of_domains(4, kTree));
    ExpertExchange what{.tokens = 100, .token = Bytes(1e6), .ranks_per_token = 8, .domains_per_token = 2};
    const CollectiveTime once = dispatch(fabric, first_ranks(16), what, kWires);
    EXPECT_NEAR(to_GB(once.scale_out), 16 * 0.150, 1e-9);
    EXPECT_NEAR(to_GB(once.scale_up), 16 * 0.1 * 8 * 3 / 4, 1e-9);  // three of four copies are for a neighbour
    what.once_to_a_domain = false;
    EXPECT_NEAR(to_GB(dispatch(fabric, first_ranks(16), what, kWires).scale_out), 16 * 0.600, 1e-9);
    what.crossing = Crossing::direct;
    EXPECT_NEAR(to_GB(dispatch(fabric, first_ranks(16), what, kWires).scale_out), 16 * 0.600, 1e-9);
}

TEST(ExpertExchange, comes_back_the_way_it_went) {
    const Fabric fabric = build(of_domains(4, kTree, Wiring::rail_planes, 4));
    const ExpertExchange what{.tokens = 100, .token = Bytes(1e6), .ranks_per_token = 8, .domains_per_token = 2};
    const CollectiveTime there = dispatch(fabric, first_ranks(16), what, kWires);
    const CollectiveTime back = combine(fabric, first_ranks(16), what, kWires);
    EXPECT_NEAR(back.time / there.time, 1, 1e-9);
    EXPECT_NEAR(back.scale_out / there.scale_out, 1, 1e-9);
}

TEST(ExpertExchange, refuses_more_destinations_than_there_are) {
    const Fabric fabric = build(of_domains(4, kTree));
    EXPECT_THROW(dispatch(fabric, first_ranks(16), {.tokens = 1, .token = Bytes(1), .ranks_per_token = 17}),
                 InputError);
    EXPECT_THROW(dispatch(fabric, {0, 1, 4}, {.tokens = 1, .token = Bytes(1), .ranks_per_token = 2}), InputError);
    EXPECT_THROW(dispatch(fabric, {99}, {}), InputError);
}

TEST(Exchange, of_unequal_bytes_lets_others_have_what_ended_flows_leave) {
    // Into rank 0: 1 GB and 3 GB on its port of 1 GB/s: 4 s. The floor of the busiest port is all that counts.
    const CollectiveTime time = exchange(one_switch(4), {{1, 0, 1.0_GB}, {2, 0, 3.0_GB}, {3, 1, 2.0_GB}}, kWires);
    EXPECT_NEAR(time.time.si(), 4, 1e-9);
    EXPECT_NEAR(to_GB(time.scale_up), 6, 1e-9);
}

TEST(Reduction, on_one_switch_has_the_bandwidth_of_its_algorithm) {
    // 8 GB on 8 ranks of 1 GB/s: ring, rotated trees and direct move 7/8 each way, twice for all-reduce; a pair of
    // trees moves all of it, twice; switches take all in once and give all out once, a rank's own eighth only in one.
    const Fabric fabric = one_switch(8);
    const auto seconds = [&](Operation operation, Algorithm algorithm) {
        return reduction(fabric, first_ranks(8), {operation, algorithm, 8.0_GB}, kWires).time.si();
    };
    for (const Operation half : {Operation::reduce_scatter, Operation::all_gather}) {
        EXPECT_NEAR(seconds(half, Algorithm::ring), 7, 1e-9);
        EXPECT_NEAR(seconds(half, Algorithm::direct), 7, 1e-9);
        EXPECT_NEAR(seconds(half, Algorithm::tree), 7, 1e-9);
        EXPECT_NEAR(seconds(half, Algorithm::in_network), 7, 1e-9);
    }
    EXPECT_NEAR(seconds(Operation::all_reduce, Algorithm::ring), 14, 1e-9);
    EXPECT_NEAR(seconds(Operation::all_reduce, Algorithm::direct), 14, 1e-9);
    EXPECT_NEAR(seconds(Operation::all_reduce, Algorithm::tree), 16 / 0.92, 1e-9);
    EXPECT_NEAR(seconds(Operation::all_reduce, Algorithm::in_network), 8, 1e-9);
}

TEST(Reduction, over_domains_uses_every_network_card) {
    // 16 GB on 4 domains of 4: a card carries a quarter of the vector, 3/4 of that each way, twice; in a ring 15/16. In
    // the network its 4 GB go up once and come down once, and inside 16 GB at 4 GB/s do.
    for (const int domains : {4, 3}) {  // an odd ring crosses once more inside
        const Fabric fabric = build(of_domains(domains, kTree, Wiring::rail_planes, 4));
        const auto ranks = first_ranks(4 * domains);
        const auto seconds = [&](Algorithm algorithm) {
            return reduction(fabric, ranks, {Operation::all_reduce, algorithm, 16.0_GB}, kWires).time.si();
        };
        EXPECT_NEAR(seconds(Algorithm::ring), 2 * 4 * (4.0 * domains - 1) / (4 * domains), 1e-9) << domains;
        const double inside = 2 * 16 * 0.75 / 4;
        EXPECT_NEAR(seconds(Algorithm::direct), std::max(inside, 2 * 4 * (1 - 1.0 / domains)), 1e-9) << domains;
        EXPECT_NEAR(seconds(Algorithm::in_network), 4, 1e-9);
    }
}

TEST(Reduction, of_parts_does_half_of_the_whole) {
    const Fabric fabric = build(of_domains(4, kTree));
    for (const Algorithm algorithm : {Algorithm::ring, Algorithm::direct, Algorithm::in_network}) {
        const auto run = [&](Operation operation) {
            return reduction(fabric, first_ranks(16), {operation, algorithm, 16.0_GB}, kWires);
        };
        const CollectiveTime whole = run(Operation::all_reduce), scatter = run(Operation::reduce_scatter),
                             gather = run(Operation::all_gather);
        EXPECT_NEAR((scatter.scale_out + gather.scale_out) / whole.scale_out, 1, 1e-9);
        EXPECT_NEAR((scatter.scale_up + gather.scale_up) / whole.scale_up, 1, 1e-9);
    }
}

TEST(Reduction, has_the_steps_of_its_algorithm) {
    // One second a step: a ring of 8 takes 2 x 7, trees 2 x 3, everyone to everyone 2.
    Fabric fabric = one_switch(8);
    fabric.layer(LinkClass::scale_up).latency.value = Seconds(1);
    const auto latency = [&](Algorithm algorithm) {
        return reduction(fabric, first_ranks(8), {Operation::all_reduce, algorithm, 8.0_GB}, kWires).latency.si();
    };
    EXPECT_NEAR(latency(Algorithm::ring), 14, 1e-9);
    EXPECT_NEAR(latency(Algorithm::tree), 6, 1e-9);
    EXPECT_NEAR(latency(Algorithm::direct), 2, 1e-9);
    EXPECT_NEAR(latency(Algorithm::in_network), 2, 1e-9);
}

TEST(Reduction, in_the_network_sends_one_copy_over_each_link_of_a_tree) {
    // 16 endpoints under 4 leaves, in one plane or two: 15 links to leaves, 3 up, one down, one to the root. All leaves
    // must choose the same spine for that. Multicast takes the same links the other way.
    for (const int planes : {1, 2})
        for (const int root : {0, 5, 15})
            for (const bool multicast : {false, true}) {
                FabricSpec spec{.endpoints = 16, .domain = 1};
                spec.scale_out = layer(FatTree{.levels = 2, .radix = 8, .planes = planes}, 1.0_GBps);
                const Fabric fabric = build(spec);
                LinkLoads loads(fabric);
                loads.add(switch_tree(Router(fabric, LinkClass::scale_out), first_ranks(16), root, root, multicast),
                          1.0_GB);
                double crossings = 0;
                for (const Bytes bytes : loads.bytes()) crossings += to_GB(bytes);
                EXPECT_NEAR(crossings, 15 + 3 + 1 + 1, 1e-9) << planes << " planes, root " << root;
                EXPECT_NEAR(to_GB(loads.sent(LinkClass::scale_out)), multicast ? 1 : 15, 1e-9);
                EXPECT_NEAR(to_GB(loads.received(LinkClass::scale_out)), multicast ? 15 : 1, 1e-9);
            }
}

TEST(Reduction, stages_that_wait_for_each_other_take_longer) {
    const Fabric fabric = build(of_domains(4, kTree));
    CollectiveTerms in_turn = kWires;
    in_turn.pipelined = false;
    const Reduction what{Operation::all_reduce, Algorithm::direct, 16.0_GB};
    // Outside 2 x 3 s; inside 2 x 3/4 of 16 GB at 4 GB/s.
    EXPECT_NEAR(reduction(fabric, first_ranks(16), what, kWires).time.si(), 6, 1e-9);
    EXPECT_NEAR(reduction(fabric, first_ranks(16), what, in_turn).time.si(), 6 + 6, 1e-9);
}

TEST(Reduction, in_the_network_needs_switches_that_can) {
    Fabric fabric = one_switch(8);
    fabric.layer(LinkClass::scale_up).reduces = false;
    try {
        reduction(fabric, first_ranks(8), {Operation::all_reduce, Algorithm::in_network, 1.0_GB});
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(
            error.what(),
            "switch.scale_up: expected switches that reduce, for an in-network collective, found reduces: false");
    }
}

TEST(CollectivePhysics, nothing_beats_the_wires_and_more_bandwidth_is_never_slower) {
    for (const Algorithm algorithm : {Algorithm::ring, Algorithm::tree, Algorithm::direct, Algorithm::in_network})
        for (const double planes : {1, 2}) {
            const Shape shape =
                FatTree{.levels = 2, .radix = 16, .planes = int(planes), .leaf_endpoints = 8, .uplinks = 2};
            FabricSpec spec = of_domains(6, shape);
            const Reduction what{Operation::all_reduce, algorithm, 1.0_GB};
            const Fabric slow = build(spec);
            spec.scale_out->bandwidth.value = 2.0_GBps;
            const Seconds before = reduction(slow, first_ranks(24), what, kWires).time;
            EXPECT_LE(reduction(build(spec), first_ranks(24), what, kWires).time, before * (1 + 1e-9));
            // Each half of the ranks must learn what the other half adds up to.
            EXPECT_GE(before, 1.0_GB / bisection(slow, {LinkClass::scale_up, LinkClass::scale_out}));
        }
    const Fabric fabric = build(of_domains(6, FatTree{.levels = 2, .radix = 16, .leaf_endpoints = 8, .uplinks = 2}));
    const CollectiveTime time = all_to_all(fabric, first_ranks(24), {.bytes = 1.0_GB}, kWires);
    EXPECT_GE(time.time, 12 * 12 * 1.0_GB / bisection(fabric, {LinkClass::scale_up, LinkClass::scale_out}));
}

}  // namespace
}  // namespace strata
