#include "hwmodels/fabric/traffic.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace strata {

namespace {

// The demands in order of destination: routes are found once for each.
std::vector<const TrafficDemand*> by_destination(const std::vector<TrafficDemand>& demands, int endpoints) {
    std::vector<std::size_t> begin(static_cast<std::size_t>(endpoints) + 1);
    for (const TrafficDemand& d : demands) ++begin[static_cast<std::size_t>(d.to) + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<const TrafficDemand*> sorted(demands.size());
    for (const TrafficDemand& d : demands) sorted[begin[static_cast<std::size_t>(d.to)]++] = &d;
    return sorted;
}

}  // namespace

int LinkLoads::add(const Router& router, const std::vector<TrafficDemand>& demands, Routing routing) {
    int longest = 0, longest_to_stop = 0;
    const std::vector<const TrafficDemand*> sorted = by_destination(demands, fabric_->endpoints());
    const auto carry = [&](int link, double bytes) { bytes_[static_cast<std::size_t>(link)] += Bytes(bytes); };
    // Valiant: by stop, what each endpoint sends there and, by destination, what the stop sends on.
    std::vector<std::vector<double>> to_stop(static_cast<std::size_t>(fabric_->vertices()));
    for (auto first = sorted.begin(); first != sorted.end();) {
        const int to = (*first)->to;
        const auto last = std::find_if(first, sorted.end(), [&](const TrafficDemand* d) { return d->to != to; });
        const RoutesTo routes = router.routes_to(to);
        const std::vector<int> stops = routing == Routing::valiant ? router.stops(routes) : std::vector<int>();
        TrafficPush push(routes, *fabric_);
        for (; first != last; ++first) {
            const auto& [from, unused, bytes] = **first;
            if (!routes.from(from)) throw no_route(*fabric_, router.link_class(), from, to);
            if (routing != Routing::valiant) longest = std::max(longest, routes.hops_from(from));
            if (routing == Routing::sprayed) push.put(from, bytes.si());
            if (routing == Routing::hashed)
                for (int v = from; v != to;) {
                    const int link = router.hashed_next(routes, v, from);
                    carry(link, bytes.si());
                    v = fabric_->link(link).to;
                }
            for (const int stop : from == to ? std::vector<int>() : stops) {
                std::vector<double>& sources = to_stop[static_cast<std::size_t>(stop)];
                sources.resize(static_cast<std::size_t>(fabric_->endpoints()));
                sources[static_cast<std::size_t>(from)] += bytes.si() / static_cast<double>(stops.size());
                push.put(stop, bytes.si() / static_cast<double>(stops.size()));
                longest = std::max(longest, routes.hops_from(stop));
            }
        }
        push.flow(carry);
    }
    for (std::size_t stop = 0; stop < to_stop.size(); ++stop) {
        if (to_stop[stop].empty()) continue;
        const RoutesTo routes = router.routes_to(static_cast<int>(stop));
        TrafficPush push(routes, *fabric_);
        for (int from = 0; from < fabric_->endpoints(); ++from) {
            const double bytes = to_stop[stop][static_cast<std::size_t>(from)];
            if (bytes > 0 && !routes.from(from))
                throw no_route(*fabric_, router.link_class(), from, static_cast<int>(stop));
            if (bytes > 0) longest_to_stop = std::max(longest_to_stop, routes.hops_from(from));
            push.put(from, bytes);
        }
        push.flow(carry);
    }
    return longest + longest_to_stop;
}

void LinkLoads::add(const SwitchTree& tree, Bytes bytes) {
    for (const int link : tree.links) bytes_[static_cast<std::size_t>(link)] += bytes;
}

SwitchTree switch_tree(const Router& router, const std::vector<int>& endpoints, int root, int number, bool multicast) {
    const Fabric& fabric = router.fabric();
    const RoutesTo routes = router.routes_to(root);
    SwitchTree tree{.multicast = multicast};
    std::vector<bool> has_part(routes.place.size());
    std::size_t planes = 1;
    for (const int endpoint : endpoints) {
        if (!routes.from(endpoint)) throw no_route(fabric, router.link_class(), endpoint, root);
        has_part[static_cast<std::size_t>(endpoint)] = true;
        tree.longest = std::max(tree.longest, routes.hops_from(endpoint));
        planes = std::max(planes, routes.next(endpoint).size());
    }
    for (std::size_t i = routes.reached.size(); i-- > 1;) {  // farthest first
        const int v = routes.reached[i];
        if (!has_part[static_cast<std::size_t>(v)]) continue;
        // All endpoints choose the same plane and all switches of it the same switch above, so that the parts meet.
        std::vector<int> next(routes.next(v).begin(), routes.next(v).end());
        const auto meeting_point = [&](int l) { return std::pair(fabric.link(l).plane, fabric.link(l).to); };
        std::sort(next.begin(), next.end(), [&](int a, int b) { return meeting_point(a) < meeting_point(b); });
        const auto nth = static_cast<std::size_t>(number);
        const int link = next[(fabric.is_switch(v) ? nth / planes : nth) % next.size()];
        tree.links.push_back(multicast ? link ^ 1 : link);
        has_part[static_cast<std::size_t>(fabric.link(link).to)] = true;
    }
    return tree;
}

LinkLoads::Busiest LinkLoads::busiest() const {
    Busiest busiest;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
        const Seconds time = bytes_[i] / fabric_->links()[i].bandwidth;
        if (time > busiest.time) busiest = {static_cast<int>(i), time};
    }
    return busiest;
}

Bytes LinkLoads::sent(LinkClass link_class) const {
    Bytes sum;
    for (std::size_t i = 0; i < bytes_.size(); ++i)
        if (const FabricLink& l = fabric_->links()[i]; l.link_class == link_class && !fabric_->is_switch(l.from))
            sum += bytes_[i];
    return sum;
}

Bytes LinkLoads::received(LinkClass link_class) const {
    Bytes sum;
    for (std::size_t i = 0; i < bytes_.size(); ++i)
        if (const FabricLink& l = fabric_->links()[i]; l.link_class == link_class && !fabric_->is_switch(l.to))
            sum += bytes_[i];
    return sum;
}

}  // namespace strata
