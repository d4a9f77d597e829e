// Exchanges of tokens that do not meet all ranks equally often: what the busiest link then has to carry.
#include "hwmodels/fabric/weighted_exchange.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

// Two domains of four; `uplinks` per leaf say how much of what endpoints can send leaves it.
Fabric leaves(double uplink_GBps) {
    Fabric fabric("two leaves", 8, 4);
    const Wire inside{.link_class = LinkClass::scale_up, .bandwidth = Bandwidth(100e9)};
    const Wire port{.link_class = LinkClass::scale_out, .bandwidth = Bandwidth(10e9)};
    const Wire uplink{.link_class = LinkClass::scale_out, .bandwidth = Bandwidth(uplink_GBps * 1e9)};
    const int spine = fabric.add_switch(LinkClass::scale_out, 2, 0);
    for (int domain = 0; domain < 2; ++domain) {
        const int leaf = fabric.add_switch(LinkClass::scale_out, 1, 0);
        fabric.connect(leaf, spine, uplink);
        for (int i = 0; i < 4; ++i) fabric.connect(4 * domain + i, leaf, port);
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < i; ++j) fabric.connect(4 * domain + i, 4 * domain + j, inside);
    }
    for (const LinkClass link_class : kLinkClasses) {
        fabric.layer(link_class).latency.value = Seconds(1e-6);
        fabric.layer(link_class).hop.value = Seconds(0);
    }
    return fabric;
}

ExpertExchange tokens(Crossing crossing, bool once) {
    return {.tokens = 1,
            .token = Bytes(8e6),
            .ranks_per_token = 4,
            .domains_per_token = 2,
            .crossing = crossing,
            .once_to_a_domain = once};
}

double ms(Seconds time) { return time.si() * 1e3; }

TEST(WeightedExchange, of_even_weights_is_the_exchange) {
    const Fabric fabric = leaves(40);
    for (const Crossing crossing : {Crossing::direct, Crossing::forwarded})
        for (const bool back : {false, true}) {
            const ExpertExchange what = tokens(crossing, crossing == Crossing::forwarded);
            const CollectiveTime even =
                back ? combine(fabric, first_ranks(8), what) : dispatch(fabric, first_ranks(8), what);
            const WeightedExchange weighted(fabric, first_ranks(8), what, back);
            EXPECT_NEAR(ms(weighted.wire(std::vector<double>(8, 1), {1, 1})) / ms(even.wire), 1, 1e-12);
        }
}

// 4 MB go to each rank, 8 MB x 4 / 8, from each other one: 16 MB from the other domain over its port of 10 GB/s, 1.6
// ms. One rank met twice as often has 3.2 ms, where the core does not block.
TEST(WeightedExchange, waits_for_the_port_of_the_rank_that_is_met_most) {
    const Fabric fabric = leaves(40);
    const WeightedExchange exchange(fabric, first_ranks(8), tokens(Crossing::direct, false), false);
    EXPECT_NEAR(ms(exchange.wire({1, 1, 1, 1, 1, 1, 1, 1}, {1, 1})), 1.6, 1e-9);
    EXPECT_NEAR(ms(exchange.wire({0, 1, 1, 1, 1, 1, 1, 2}, {1, 1})), 3.2, 1e-9);
}

// An uplink of 5 GB/s has 4 x 16 = 64 MB to carry, 12.8 ms: a rank met twice as often for another of its domain does
// not change that, and its own port has only 3.2 ms.
TEST(WeightedExchange, is_no_slower_where_the_core_is_the_bottleneck_anyway) {
    const Fabric fabric = leaves(5);
    const WeightedExchange exchange(fabric, first_ranks(8), tokens(Crossing::direct, false), false);
    EXPECT_NEAR(ms(exchange.wire({1, 1, 1, 1, 1, 1, 1, 1}, {1, 1})), 12.8, 1e-9);
    EXPECT_NEAR(ms(exchange.wire({1, 1, 1, 1, 0, 1, 1, 2}, {1, 1})), 12.8, 1e-9);
    EXPECT_NEAR(ms(exchange.wire({0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5}, {0.5, 1.5})), 19.2, 1e-9);
}

// Forwarded once, a token crosses to half of two domains: 8 MB x 2 / 2 to the one that is not its own, 0.8 ms of a
// port.
TEST(WeightedExchange, sends_once_to_a_domain_by_how_often_the_domain_is_met) {
    const Fabric fabric = leaves(40);
    const WeightedExchange exchange(fabric, first_ranks(8), tokens(Crossing::forwarded, true), true);
    const std::vector<double> even(8, 1);
    EXPECT_NEAR(ms(exchange.wire(even, {1, 1})), 0.8, 1e-9);
    EXPECT_NEAR(ms(exchange.wire(even, {0.5, 1.5})), 1.2, 1e-9);
    EXPECT_EQ(exchange.domains(), 2);
    EXPECT_EQ(exchange.domain_of(5), 1);
}

}  // namespace
}  // namespace strata
