#include "hwmodels/fabric/properties.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <cmath>
#include <cstdint>

#include "hwmodels/fabric/router.hpp"

namespace strata {

namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using Edge = Traits::edge_descriptor;

// The fabric with a source that feeds one set of endpoints and a sink that drains the others. In whole bytes per
// second: sums of fractions would not balance to the last bit, which push-relabel is meant to rely on.
struct FlowEdge {
    std::int64_t capacity = 0, residual = 0;
    Edge reverse{};
};
using FlowGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, FlowEdge>;

// One direction; its reverse has no capacity of its own, as push-relabel wants it.
void connect(FlowGraph& graph, int from, int to, std::int64_t capacity) {
    const Edge forth = add_edge(std::size_t(from), std::size_t(to), graph).first;
    const Edge reverse = add_edge(std::size_t(to), std::size_t(from), graph).first;
    graph[forth] = {capacity, 0, reverse};
    graph[reverse] = {0, 0, forth};
}

std::optional<double> times(long count, const Sourced<double>& each) {
    if (count == 0) return 0;
    if (!each.value) return std::nullopt;
    return static_cast<double>(count) * *each.value;
}

std::optional<double> sum(std::optional<double> a, std::optional<double> b, std::optional<double> c) {
    return a && b && c ? std::optional(*a + *b + *c) : std::nullopt;
}

}  // namespace

Inventory inventory(const Fabric& fabric, LinkClass link_class) {
    Inventory counts;
    for (int v = fabric.endpoints(); v < fabric.vertices(); ++v)
        counts.switches += fabric.vertex(v).link_class == link_class;
    for (std::size_t i = 0; i < fabric.links().size(); i += 2) {  // each second one is a reverse
        const FabricLink& link = fabric.links()[i];
        if (link.link_class != link_class) continue;
        const bool inside = fabric.is_switch(link.from) && fabric.is_switch(link.to);
        (inside ? counts.inter_switch_links : counts.endpoint_links) += link.lanes;
    }
    return counts;
}

int diameter(const Fabric& fabric, LinkClass link_class) {
    const Router router(fabric, link_class);
    int longest = 0;
    for (int to = 0; to < fabric.endpoints(); ++to) {
        const RoutesTo routes = router.routes_to(to);
        for (std::size_t i = 0; i < routes.reached.size(); ++i)
            if (!fabric.is_switch(routes.reached[i])) longest = std::max(longest, routes.hops[i]);
    }
    return longest;
}

Bandwidth cut(const Fabric& fabric, const std::vector<int>& endpoints, const std::vector<LinkClass>& over) {
    std::vector<bool> inside(static_cast<std::size_t>(fabric.endpoints()));
    for (const int e : endpoints) inside.at(static_cast<std::size_t>(e)) = true;
    const int source = fabric.vertices(), sink = source + 1;
    FlowGraph graph(static_cast<std::size_t>(fabric.vertices()) + 2);
    std::int64_t all = 0;
    for (const FabricLink& link : fabric.links()) {
        if (std::find(over.begin(), over.end(), link.link_class) == over.end()) continue;
        connect(graph, link.from, link.to, std::llround(link.bandwidth.si()));
        all += std::llround(link.bandwidth.si());
    }
    for (int e = 0; e < fabric.endpoints(); ++e)
        inside[static_cast<std::size_t>(e)] ? connect(graph, source, e, all) : connect(graph, e, sink, all);
    return Bandwidth(static_cast<double>(boost::push_relabel_max_flow(
        graph, static_cast<std::size_t>(source), static_cast<std::size_t>(sink), get(&FlowEdge::capacity, graph),
        get(&FlowEdge::residual, graph), get(&FlowEdge::reverse, graph), get(boost::vertex_index, graph))));
}

Bandwidth bisection(const Fabric& fabric, const std::vector<LinkClass>& over) {
    std::vector<int> half;
    for (int e = 0; e < fabric.endpoints() / 2; ++e) half.push_back(e);
    return cut(fabric, half, over);
}

FabricBill bill(const Inventory& inventory, long endpoints, const FabricPrices& prices) {
    const auto free_if_unpriced = [](long count, const Sourced<double>& each) {
        return each.value ? times(count, each) : std::optional(0.0);
    };
    FabricBill bill;
    bill.usd = sum(times(inventory.switches, prices.switch_usd),
                   times(inventory.inter_switch_links, prices.inter_switch_link_usd),
                   free_if_unpriced(inventory.endpoint_links, prices.endpoint_link_usd));
    if (bill.usd && endpoints > 0) bill.usd_per_endpoint = *bill.usd / static_cast<double>(endpoints);
    bill.power_w =
        sum(times(inventory.switches, prices.switch_w), times(inventory.inter_switch_links, prices.inter_switch_link_w),
            free_if_unpriced(inventory.endpoint_links, prices.endpoint_link_w));
    return bill;
}

}  // namespace strata
