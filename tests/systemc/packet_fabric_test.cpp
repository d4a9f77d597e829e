// The flow level against packets: where they agree, and where they do not and why. SystemC simulates once a process,
// so each case is a test of its own.
#include "hwmodels/fabric/packet/packet_fabric.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"
#include "hwmodels/fabric/flow_simulation.hpp"
#include "hwmodels/fabric/packet/stage_messages.hpp"
#include "hwmodels/fabric/shapes.hpp"
#include "kernels/mixed_bits.hpp"

namespace strata {
namespace {

// Latencies are small beside what is sent, so that wires decide: the nearest are 1 us apart, each link more is 0.2 us.
Fabric with_latencies(Fabric fabric) {
    for (const LinkClass c : kLinkClasses) {
        fabric.layer(c).latency.value = 1.0_us;
        fabric.layer(c).hop.value = 0.2_us;
    }
    return fabric;
}

template <class Shape>
Fabric joined(int endpoints, const Shape& shape) {
    Fabric fabric("test", endpoints, 1);
    join(fabric, first_ranks(endpoints), shape, {.link_class = LinkClass::scale_out, .bandwidth = 50.0_GBps});
    fabric.layer(LinkClass::scale_out).direct = is_direct(shape);
    return with_latencies(std::move(fabric));
}

FabricLayerSpec layer(Shape shape, Bandwidth bandwidth, Wiring wiring = Wiring::by_domain) {
    FabricLayerSpec spec{.shape = std::move(shape), .wiring = wiring};
    spec.bandwidth.value = bandwidth;
    return spec;
}

// Domains of four with a card each; rails of the same number lie under the same leaf.
Fabric rail_optimised() {
    FabricSpec spec{.name = "rails", .endpoints = 32, .domain = 4};
    spec.scale_up = layer(FatTree{.levels = 1, .radix = 4}, 200.0_GBps);
    spec.scale_out = layer(FatTree{.levels = 2, .radix = 16}, 50.0_GBps, Wiring::by_rail);
    return with_latencies(build(spec));
}

struct Case {
    const char* name;
    std::function<Fabric()> fabric;
};
const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {"nvswitch_of_8", [] { return joined(8, FatTree{.levels = 1, .radix = 8, .planes = 4}); }},
        {"fat_tree_of_16", [] { return joined(16, FatTree{.levels = 2, .radix = 8}); }},
        {"fat_tree_of_64", [] { return joined(64, FatTree{.levels = 2, .radix = 16}); }},
        {"tapered_tree_of_24",
         [] { return joined(24, FatTree{.levels = 2, .radix = 16, .leaf_endpoints = 6, .uplinks = 2}); }},
        {"rails_of_32", rail_optimised},
        {"torus_of_4x4x4",
         [] {
             return joined(64, Torus{{4, 4, 4}});
         }},
        {"dragonfly_of_24",
         [] {
             return joined(24, Dragonfly{3, 2, 1, 4});
         }},
        {"ub_of_two_levels",
         [] {
             return joined(32, FatTree{.levels = 2,
                                       .radix = 16,
                                       .planes = 3,
                                       .lanes = 2,
                                       .leaf_endpoints = 4,
                                       .uplinks = 8,
                                       .spine_radix = 16});
         }},
    };
    return all;
}

using Demands = std::vector<TrafficDemand>;
Demands all_to_all(int n, Bytes bytes) {  // each begins with its neighbour
    Demands demands;
    for (int turn = 1; turn < n; ++turn)
        for (int from = 0; from < n; ++from) demands.push_back({from, (from + turn) % n, bytes / (n - 1)});
    return demands;
}
Demands permutation(int n, Bytes bytes) {  // to the middle of the other half
    Demands demands;
    for (int from = 0; from < n; ++from) demands.push_back({from, (from + n / 2 + 1) % n, bytes});
    return demands;
}
Demands incast(int n, Bytes bytes) {
    Demands demands;
    for (int from = 1; from < n; ++from) demands.push_back({from, 0, bytes / (n - 1)});
    return demands;
}

LinkClass class_of(const Fabric& fabric, const TrafficDemand& d) {
    return fabric.domain_of(d.from) == fabric.domain_of(d.to) ? LinkClass::scale_up : LinkClass::scale_out;
}

std::vector<Message> messages_of(const Fabric& fabric, const Demands& demands) {
    std::vector<Message> messages;
    for (const TrafficDemand& d : demands)
        messages.push_back({.from = d.from, .to = d.to, .link_class = class_of(fabric, d), .bytes = d.bytes});
    return messages;
}

Seconds by_flows(const Fabric& fabric, const Demands& demands, Routing routing) {
    return exchange(fabric, demands, {.routing = routing, .startup = Seconds(0)}).time;
}

PacketTimes by_packets(const Fabric& fabric, const Demands& demands, const PacketSpec& spec = {}) {
    PacketFabric packets("packets", fabric, spec, messages_of(fabric, demands));
    return packets.run();
}

struct Pattern {
    const char* name;
    Demands (*demands)(int n, Bytes bytes);
};
constexpr Pattern kPatterns[] = {{"all_to_all", all_to_all}, {"permutation", permutation}, {"incast", incast}};

// Where hashes send several flows over one link, packets take longer than fair sharing says: what waits for the link
// fills the buffers before it, and flows that would go elsewhere from there stand behind (the victim below).
const std::set<std::string> kCollide{"fat_tree_of_16_permutation", "fat_tree_of_64_all_to_all",
                                     "ub_of_two_levels_all_to_all"};

// 16 MB of each rank at 50 GB/s: 320 us, beside which latencies are small. Spraying is what the flow level takes for
// ideal.
using Parameters = std::tuple<std::size_t, std::size_t, PacketRouting>;
class FlowAgreement : public testing::TestWithParam<Parameters> {};

TEST_P(FlowAgreement, of_flows_and_packets) {
    const auto& [c, p, routing] = GetParam();
    const Fabric fabric = cases()[c].fabric();
    const Demands demands = kPatterns[p].demands(fabric.endpoints(), Bytes(16e6));
    const bool hashed = routing == PacketRouting::hashed;
    const Seconds flows = by_flows(fabric, demands, hashed ? Routing::hashed : Routing::sprayed);
    const PacketTimes packets = by_packets(fabric, demands, {.routing = routing});
    std::printf("%-20s %-12s %-8s flows %9.2f us  packets %9.2f us  %+6.1f %%\n", cases()[c].name, kPatterns[p].name,
                hashed ? "hashed" : "sprayed", to_us(flows), to_us(packets.time), 100 * (packets.time / flows - 1));
    if (hashed) {
        EXPECT_EQ(packets.overtaken, 0);
    }
    const std::string name = fmt::format("{}_{}", cases()[c].name, kPatterns[p].name);
    if (hashed && kCollide.count(name)) {
        EXPECT_GT(packets.time / flows, 1.10) << "no longer an exception";
        EXPECT_LT(packets.time / flows, 1.25);
    } else {
        EXPECT_NEAR(packets.time / flows, 1, 0.10);
    }
}

std::string name_of(const testing::TestParamInfo<Parameters>& test) {
    const auto& [c, p, routing] = test.param;
    return std::string(cases()[c].name) + "_" + kPatterns[p].name +
           (routing == PacketRouting::hashed ? "_hashed" : "_sprayed");
}
INSTANTIATE_TEST_SUITE_P(PacketFabric, FlowAgreement,
                         testing::Combine(testing::Range<std::size_t>(0, 8), testing::Range<std::size_t>(0, 3),
                                          testing::Values(PacketRouting::hashed, PacketRouting::sprayed)),
                         name_of);

// A ring of all ranks passes each part on when it has come: 2 (n - 1) steps of a part and a latency each.
class RingAgreement : public testing::TestWithParam<std::size_t> {};

TEST_P(RingAgreement, of_an_all_reduce) {
    const Fabric fabric = cases()[GetParam()].fabric();
    const std::vector<int> ranks = first_ranks(fabric.endpoints());
    const Reduction what{Operation::all_reduce, Algorithm::ring, Bytes(64e6)};
    const Seconds flows = reduction(fabric, ranks, what, {.startup = Seconds(0)}).time;
    PacketFabric packets("packets", fabric, {}, messages_of(fabric, stages_of(fabric, ranks, what), true));
    const PacketTimes times = packets.run();
    std::printf("%-20s ring         flows %9.2f us  packets %9.2f us  %+6.1f %%\n", cases()[GetParam()].name,
                to_us(flows), to_us(times.time), 100 * (times.time / flows - 1));
    // Over rails a part is there as a whole before it goes on over a link four times as fast; flows overlap the two.
    EXPECT_NEAR(times.time / flows, 1, std::string(cases()[GetParam()].name) == "rails_of_32" ? 0.15 : 0.10);
}
INSTANTIATE_TEST_SUITE_P(PacketFabric, RingAgreement, testing::Range<std::size_t>(0, 8));

// Trees of ranks pass on parts, switches that add up or copy do so packet by packet. Where many trees share few uplinks
// packets lose up to 13 %: they hold an uplink while their tails still come, and block others behind full buffers.
using WithAlgorithm = std::tuple<std::size_t, Algorithm, Operation>;
class TreeAgreement : public testing::TestWithParam<WithAlgorithm> {};

TEST_P(TreeAgreement, of_flows_and_packets) {
    const auto& [c, algorithm, operation] = GetParam();
    Fabric fabric = cases()[c].fabric();
    for (const LinkClass link_class : kLinkClasses) fabric.layer(link_class).reduces = true;
    const std::vector<int> ranks = first_ranks(fabric.endpoints());
    const Reduction what{operation, algorithm, Bytes(64e6)};
    const Seconds flows = reduction(fabric, ranks, what, {.startup = Seconds(0)}).time;
    const std::vector<Stage> stages = stages_of(fabric, ranks, what);
    PacketFabric packets("packets", fabric, {}, messages_of(fabric, stages, true));
    const PacketTimes times = packets.run();
    std::printf("%-20s %d %d flows %9.2f us  packets %9.2f us  %+6.1f %%\n", cases()[c].name, int(algorithm),
                int(operation), to_us(flows), to_us(times.time), 100 * (times.time / flows - 1));
    const bool many_trees = algorithm == Algorithm::tree && operation == Operation::all_gather;
    EXPECT_NEAR(times.time / flows, 1,
                many_trees && std::string(cases()[c].name) == "tapered_tree_of_24" ? 0.15 : 0.10);
    const LinkLoads loads = loads_of(fabric, stages, {});
    for (std::size_t l = 0; l < times.carried.size(); ++l)
        ASSERT_NEAR(times.carried[l].si(), loads.bytes()[l].si(), 0.05 * 64e6) << fabric.describe(int(l));
}

std::string name_of_tree(const testing::TestParamInfo<WithAlgorithm>& test) {
    const auto& [c, algorithm, operation] = test.param;
    return fmt::format("{}_{}_{}", cases()[c].name, algorithm == Algorithm::tree ? "tree" : "in_network",
                       operation == Operation::all_reduce   ? "all_reduce"
                       : operation == Operation::all_gather ? "all_gather"
                                                            : "reduce_scatter");
}
INSTANTIATE_TEST_SUITE_P(PacketFabric, TreeAgreement,
                         testing::Combine(testing::Values<std::size_t>(0, 1, 2, 3, 4, 7),
                                          testing::Values(Algorithm::tree, Algorithm::in_network),
                                          testing::Values(Operation::all_reduce, Operation::all_gather,
                                                          Operation::reduce_scatter)),
                         name_of_tree);

Fabric ring_of_8() { return joined(8, Torus{{8}}); }
Demands three_on(int n) {  // all the same way round
    Demands demands;
    for (int from = 0; from < n; ++from) demands.push_back({from, (from + 3) % n, Bytes(1e6)});
    return demands;
}

TEST(PacketDeadlock, a_ring_full_of_packets_on_one_channel_waits_in_a_circle_and_says_so) {
    try {
        by_packets(ring_of_8(), three_on(8), {.virtual_channels = 1, .buffer_packets = 4});
        FAIL() << "all came";
    } catch (const InputError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("deadlock"), std::string::npos) << text;
        EXPECT_NE(text.find("with 1 virtual channels; 8 links are blocked"), std::string::npos) << text;
    }
}

TEST(PacketDeadlock, does_not_happen_with_a_channel_for_each_link_of_the_route) {
    const PacketTimes times = by_packets(ring_of_8(), three_on(8), {.virtual_channels = 3, .buffer_packets = 4});
    EXPECT_EQ(times.packets, 8 * 245);  // 1 MB in packets of 4 KiB
    EXPECT_EQ(times.hops, 3 * times.packets);
    EXPECT_EQ(times.overtaken, 0);
}

// Where the flow level is wrong: each end of a flow is shared fairly there, whatever is in front of it.

// Inputs of one queue send nothing while their first packet waits for a busy output (58.6 % of the throughput in the
// limit of random traffic, Karol et al. 1987). Each rank sends the same to each other, in an order of its own.
Demands shuffled_all_to_all(int n) {
    Demands demands = all_to_all(n, Bytes(4e6));
    std::uint64_t seed = 1;
    for (std::size_t i = demands.size(); i-- > 1;) std::swap(demands[i], demands[mixed_bits(seed++) % (i + 1)]);
    return demands;
}
Fabric crossbar_of_16() { return joined(16, FatTree{.levels = 1, .radix = 16}); }

TEST(PacketQueues, one_for_each_output_keep_a_crossbar_busy) {
    const Seconds flows = by_flows(crossbar_of_16(), shuffled_all_to_all(16), Routing::sprayed);
    EXPECT_NEAR(by_packets(crossbar_of_16(), shuffled_all_to_all(16)).time / flows, 1, 0.05);
}

TEST(PacketQueues, first_in_first_out_blocks_behind_the_head_of_the_line) {
    const Seconds flows = by_flows(crossbar_of_16(), shuffled_all_to_all(16), Routing::sprayed);
    const Seconds packets =
        by_packets(crossbar_of_16(), shuffled_all_to_all(16), {.buffer_packets = 4, .queueing = Queueing::fifo}).time;
    EXPECT_GT(packets / flows, 1.15);
    EXPECT_LT(packets / flows, 2);
}

// Leaves of six endpoints with two uplinks, and all begin with rank 0: a short buffer fills with what waits for an
// uplink, and what could go on stands behind it.
TEST(PacketQueues, short_buffers_cost_a_tapered_tree_throughput) {
    const Fabric fabric = cases()[3].fabric();
    Demands demands = all_to_all(24, Bytes(16e6));
    std::sort(demands.begin(), demands.end(), [](const TrafficDemand& a, const TrafficDemand& b) {
        return std::pair(a.from, a.to) < std::pair(b.from, b.to);
    });
    const Seconds flows = by_flows(fabric, demands, Routing::sprayed);
    EXPECT_GT(by_packets(fabric, demands, {.buffer_packets = 16}).time / flows, 1.05);
}

// 0 -> 2 and 1 -> 2 share the port of 2. In the switch the packets for 2 fill the buffer of 0's link, so that 0 -> 3,
// whose port is free, gets no more than they do: a victim. The flow level gives it what is left of 0's link.
TEST(PacketQueues, a_flow_behind_congestion_is_its_victim) {
    const Demands demands{{0, 2, Bytes(8e6)}, {0, 3, Bytes(8e6)}, {1, 2, Bytes(8e6)}, {4, 2, Bytes(8e6)}};
    const Fabric fabric = joined(8, FatTree{.levels = 1, .radix = 8});
    std::vector<Flow> flows;
    const Router router(fabric, LinkClass::scale_out);
    for (const TrafficDemand& d : demands)
        flows.push_back({.bytes = d.bytes, .shares = router.shares(d.from, d.to, Routing::sprayed)});
    const FlowTimes fair = flow_times(capacities(fabric), flows);
    EXPECT_NEAR(to_us(fair.arrival[1]), 240, 1);  // beside a third of the port it has two thirds
    const PacketTimes packets = by_packets(fabric, demands);
    EXPECT_GT(to_us(packets.arrival[1]), 400);  // a third, as its neighbour
    EXPECT_NEAR(to_us(packets.time), to_us(fair.time), 0.03 * to_us(fair.time));
}

// Adaptive routing sees its own switch alone: it is near ideal spraying, better where shortest routes are not balanced.
TEST(PacketRouting, adaptive_takes_the_less_loaded_of_a_dragonflys_routes) {
    const Fabric fabric = cases()[6].fabric();
    const Demands demands = permutation(24, Bytes(4e6));
    const Seconds sprayed = by_flows(fabric, demands, Routing::sprayed);
    const PacketTimes adaptive = by_packets(fabric, demands, {.routing = PacketRouting::adaptive});
    EXPECT_LT(adaptive.time / sprayed, 0.95);
}

TEST(PacketRouting, sprayed_packets_overtake_each_other_but_all_come) {
    const Fabric fabric = cases()[5].fabric();
    const PacketTimes times = by_packets(fabric, permutation(64, Bytes(1e6)));
    EXPECT_GT(times.overtaken, 0);
    for (std::size_t l = 0; l < times.busy.size(); ++l) ASSERT_LE(times.busy[l] / times.time, 1 + 1e-9);
}

// 1 MB at 50 GB/s takes 20 us, and 1 us until it is there; cut through, the second link adds nothing.
TEST(PacketTiming, a_message_takes_its_bytes_and_one_latency) {
    const Fabric fabric = joined(4, FatTree{.levels = 1, .radix = 4});
    EXPECT_NEAR(to_us(by_packets(fabric, {{0, 1, Bytes(1e6)}}).time), 21, 0.1);
}

TEST(PacketTiming, a_message_waits_for_another_and_a_stage_for_the_one_before) {
    const Fabric fabric = joined(4, FatTree{.levels = 1, .radix = 4});
    const auto message = [](int from, int to, int after, int stage) {
        return Message{from, to, LinkClass::scale_out, Bytes(1e6), {after, -1}, -1, stage};
    };
    PacketFabric packets("packets", fabric, {},
                         {message(0, 1, -1, 0), message(1, 2, 0, 0), message(0, 3, -1, 1), message(2, 3, 2, 1)});
    const PacketTimes times = packets.run();
    for (const auto& [m, us] : {std::pair(0, 21), {1, 42}, {2, 63}, {3, 84}})
        EXPECT_NEAR(to_us(times.arrival[std::size_t(m)]), us, 0.2) << m;
}

TEST(PacketTiming, a_message_waits_for_two_to_arrive_and_for_the_one_before_it_to_leave) {
    const Fabric fabric = joined(4, FatTree{.levels = 1, .radix = 4});
    const auto message = [](int from, int to, const std::array<int, 2>& after, int behind) {
        return Message{from, to, LinkClass::scale_out, Bytes(1e6), after, behind};
    };
    PacketFabric packets("packets", fabric, {},
                         {message(0, 2, {-1, -1}, -1), message(1, 2, {0, -1}, -1), message(2, 3, {0, 1}, -1),
                          message(3, 0, {-1, -1}, -1), message(3, 1, {-1, -1}, 3)});
    const PacketTimes times = packets.run();
    // The last two leave one after the other: side by side both would be there after 41.
    for (const auto& [m, us] : {std::pair(0, 21), {1, 42}, {2, 63}, {3, 21}, {4, 41}})
        EXPECT_NEAR(to_us(times.arrival[std::size_t(m)]), us, 0.2) << m;
}

std::vector<Message> to_all_or_from_all(const Fabric& fabric, bool multicast) {
    StageTraffic traffic{.link_class = LinkClass::scale_out, .in_network = {{0, 1, 2, 3}}, .multicast = multicast};
    traffic.part = Bytes(1e6);
    std::vector<Message> messages = messages_of(fabric, std::vector<Stage>{{.traffic = {traffic}}}, true);
    messages.resize(3);  // rank 0's part alone
    return messages;
}

// Three ranks each send 1 MB, in 245 packets; one copy of each leaves the switch, when the last of its parts has come.
TEST(PacketSums, are_made_in_the_switch) {
    const Fabric fabric = joined(4, FatTree{.levels = 1, .radix = 4});
    PacketFabric packets("packets", fabric, {}, to_all_or_from_all(fabric, false));
    const PacketTimes times = packets.run();
    EXPECT_EQ(times.packets, 3 * 245);
    EXPECT_EQ(times.hops, 4 * 245);
    for (const Seconds arrival : times.arrival) EXPECT_NEAR(to_us(arrival), 21, 0.2);
    for (std::size_t l = 0; l < times.carried.size(); ++l)
        EXPECT_NEAR(times.carried[l].si(),
                    fabric.is_switch(fabric.link(int(l)).to) ? (fabric.link(int(l)).from == 0 ? 0 : 1e6)
                    : fabric.link(int(l)).to == 0            ? 1e6
                                                             : 0,
                    1)
            << fabric.describe(int(l));
}

TEST(PacketSums, copies_are_made_in_the_switch) {
    const Fabric fabric = joined(4, FatTree{.levels = 1, .radix = 4});
    PacketFabric packets("packets", fabric, {}, to_all_or_from_all(fabric, true));
    const PacketTimes times = packets.run();
    EXPECT_EQ(times.packets, 3 * 245);  // two of each are copies
    EXPECT_EQ(times.hops, 4 * 245);
    for (const Seconds arrival : times.arrival) EXPECT_NEAR(to_us(arrival), 21, 0.2);
}

TEST(PacketErrors, name_what_cannot_add_up) {
    const Fabric crossbar = joined(4, FatTree{.levels = 1, .radix = 4});
    EXPECT_THROW(PacketFabric("a", crossbar, {.queueing = Queueing::fifo}, to_all_or_from_all(crossbar, false)),
                 InputError);
    const Fabric ring = joined(4, Torus{{4}});
    EXPECT_THROW(PacketFabric("b", ring, {}, to_all_or_from_all(ring, false)), InputError);
}

TEST(PacketErrors, name_a_missing_route_and_an_unknown_latency) {
    Fabric unwired("unwired", 4, 1);
    join(unwired, std::vector<int>{0, 1}, FatTree{.levels = 1, .radix = 2},
         {.link_class = LinkClass::scale_out, .bandwidth = 1.0_GBps});
    unwired.layer(LinkClass::scale_out).latency.value = 1.0_us;
    const Message lost{0, 3, LinkClass::scale_out, Bytes(1e6)};
    EXPECT_THROW(PacketFabric("a", unwired, {}, {lost}), InputError);
    Fabric silent = joined(4, FatTree{.levels = 1, .radix = 4});
    silent.layer(LinkClass::scale_out).latency.value.reset();
    EXPECT_THROW(PacketFabric("b", silent, {}, {Message{0, 1, LinkClass::scale_out, Bytes(1e6)}}), InputError);
}

}  // namespace
}  // namespace strata
