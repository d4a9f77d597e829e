#include "hwmodels/fabric/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace strata {

namespace {

// Of the bandwidth of its busiest link, what a pair of trees keeps: two children, a parent and the other tree send to
// a rank at once, and what waits for its port blocks others behind it. NCCL reckons with as much (graph/tuning.cc); by
// packets it is 0.88 to 0.91, less with short buffers (tests/systemc/packet_fabric_test.cpp).
constexpr double kKeptByTrees = 0.92;

bool is_pair_of_trees(const Stage& stage) {
    return std::any_of(stage.trees.begin(), stage.trees.end(), [](const Tree& tree) { return tree.up && tree.down; });
}

// Adds a stage's bytes to the loads; returns how long its latencies take.
Seconds add(LinkLoads& loads, const Stage& stage, const Fabric& fabric, const std::array<Router, 2>& routers,
            const CollectiveTerms& terms) {
    Seconds longest, sum;
    for (const StageTraffic& traffic : stage.traffic) {
        const Router& router = routers[static_cast<std::size_t>(traffic.link_class)];
        int links = loads.add(router, traffic.demands, terms.routing);
        for (const std::vector<int>& group : traffic.in_network)
            for (std::size_t i = 0; i < group.size(); ++i) {
                const SwitchTree tree = switch_tree(router, group, group[i], static_cast<int>(i), traffic.multicast);
                loads.add(tree, traffic.part);
                links = std::max(links, tree.longest);
            }
        if (links == 0) continue;
        const auto& step = traffic.link_class == LinkClass::scale_up ? terms.scale_up_step : terms.scale_out_step;
        const Seconds latency = (step ? *step : fabric.layer(traffic.link_class).latency_over(links)) * traffic.rounds;
        longest = std::max(longest, latency);
        sum += latency;
    }
    return stage.in_turn ? sum : longest;
}

}  // namespace

LinkLoads loads_of(const Fabric& fabric, const std::vector<Stage>& stages, const CollectiveTerms& terms) {
    const std::array routers{Router(fabric, LinkClass::scale_up), Router(fabric, LinkClass::scale_out)};
    LinkLoads loads(fabric);
    for (const Stage& stage : stages) add(loads, stage, fabric, routers, terms);
    return loads;
}

CollectiveTime time_of(const Fabric& fabric, const std::vector<Stage>& stages, int ranks,
                       const CollectiveTerms& terms) {
    const std::array routers{Router(fabric, LinkClass::scale_up), Router(fabric, LinkClass::scale_out)};
    LinkLoads all(fabric);
    CollectiveTime time;
    for (const Stage& stage : stages) {
        time.latency += add(all, stage, fabric, routers, terms);
        const bool trees = is_pair_of_trees(stage);
        if (terms.pipelined && !trees) continue;
        LinkLoads alone(fabric);
        add(alone, stage, fabric, routers, terms);
        const Seconds wire = alone.busiest().time / (trees ? kKeptByTrees : 1);
        time.wire = terms.pipelined ? std::max(time.wire, wire) : time.wire + wire;
    }
    const LinkLoads::Busiest busiest = all.busiest();
    time.bottleneck = busiest.link;
    if (terms.pipelined) time.wire = std::max(time.wire, busiest.time);
    time.scale_up = all.sent(LinkClass::scale_up);
    time.scale_out = all.sent(LinkClass::scale_out);
    return with_terms(time, ranks, terms);
}

CollectiveTime with_terms(CollectiveTime time, int ranks, const CollectiveTerms& terms) {
    const double late = terms.jitter * std::sqrt(2 * std::log(std::max(1, ranks)));
    time.startup = terms.startup;
    time.waiting = (time.wire + time.latency) * (terms.synchronisation + late);
    time.time = time.startup + time.latency + time.wire + time.waiting;
    return time;
}

std::vector<std::vector<int>> by_domain(const Fabric& fabric, const std::vector<int>& ranks, bool even) {
    std::map<int, std::vector<int>> domains;
    for (const int rank : ranks) {
        if (rank < 0 || rank >= fabric.endpoints())
            throw InputError(fabric.name(), fmt::format("ranks from 0 to {}", fabric.endpoints() - 1),
                             fmt::format("{}", rank));
        domains[fabric.domain_of(rank)].push_back(rank);
    }
    std::vector<std::vector<int>> all;
    for (const auto& [unused, members] : domains) all.push_back(members);
    for (const std::vector<int>& members : all)
        if (even && members.size() != all[0].size())
            throw InputError(fabric.name(), "as many ranks in each scale-up domain",
                             fmt::format("{} and {}", all[0].size(), members.size()));
    return all;
}

std::vector<int> first_ranks(int n) {
    std::vector<int> ranks;
    for (int i = 0; i < n; ++i) ranks.push_back(i);
    return ranks;
}

}  // namespace strata
