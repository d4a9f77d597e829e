#include "hwmodels/fabric/router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

#include "kernels/mixed_bits.hpp"

namespace strata {

InputError no_route(const Fabric& fabric, LinkClass link_class, int from, int to) {
    return InputError(fmt::format(
        "{}: no route from endpoint {} to {} on {}: its planes are not joined. Forward inside the domain, or "
        "wire every endpoint to every plane",
        fabric.name(), from, to, to_string(link_class)));
}

Router::Router(const Fabric& fabric, LinkClass link_class)
    : fabric_(&fabric), link_class_(link_class), out_begin_(static_cast<std::size_t>(fabric.vertices()) + 1) {
    std::vector<bool> is_stop(static_cast<std::size_t>(fabric.vertices()));
    for (const FabricLink& link : fabric.links()) {
        if (link.link_class != link_class) continue;
        ++out_begin_[static_cast<std::size_t>(link.from) + 1];
        if (!fabric.is_switch(link.from)) is_stop[static_cast<std::size_t>(link.to)] = true;
    }
    std::partial_sum(out_begin_.begin(), out_begin_.end(), out_begin_.begin());
    out_links_.resize(static_cast<std::size_t>(out_begin_.back()));
    std::vector<int> at = out_begin_;
    for (std::size_t l = 0; l < fabric.links().size(); ++l)
        if (const FabricLink& link = fabric.links()[l]; link.link_class == link_class)
            out_links_[static_cast<std::size_t>(at[static_cast<std::size_t>(link.from)]++)] = static_cast<int>(l);
    for (int v = 0; v < fabric.vertices(); ++v)
        if (is_stop[static_cast<std::size_t>(v)]) stops_.push_back(v);
}

RoutesTo Router::routes_to(int destination) const {
    const std::vector<int> nowhere(static_cast<std::size_t>(fabric_->vertices()), -1);
    RoutesTo routes{destination, {destination}, nowhere, {0}, {}, {}};
    routes.place[static_cast<std::size_t>(destination)] = 0;
    const auto forwards = [&](int v) {
        return v == destination || fabric_->is_switch(v) || fabric_->layer(link_class_).direct;
    };
    for (std::size_t i = 0; i < routes.reached.size(); ++i) {  // breadth first; every link has its reverse
        const auto v = static_cast<std::size_t>(routes.reached[i]);
        routes.next_begin.push_back(static_cast<int>(routes.next_of.size()));
        for (int k = out_begin_[v]; k < out_begin_[v + 1]; ++k) {
            const int link = out_links_[static_cast<std::size_t>(k)], w = fabric_->link(link).to;
            int& place = routes.place[static_cast<std::size_t>(w)];
            if (place < 0 && forwards(routes.reached[i])) {
                place = static_cast<int>(routes.reached.size());
                routes.reached.push_back(w);
                routes.hops.push_back(routes.hops[i] + 1);
            } else if (place >= 0 && routes.hops[static_cast<std::size_t>(place)] == routes.hops[i] - 1 &&
                       forwards(w)) {
                routes.next_of.push_back(link);
            }
        }
    }
    routes.next_begin.push_back(static_cast<int>(routes.next_of.size()));
    return routes;
}

std::optional<int> Router::hops(int from, int to) const {
    const RoutesTo routes = routes_to(to);
    if (!routes.from(from)) return std::nullopt;
    return routes.hops_from(from);
}

std::vector<std::vector<int>> Router::minimal_paths(int from, int to, std::size_t limit) const {
    const RoutesTo routes = routes_to(to);
    std::vector<std::vector<int>> paths, open{{}};
    if (!routes.from(from)) return paths;
    while (!open.empty() && paths.size() < limit) {  // depth first
        const std::vector<int> path = open.back();
        open.pop_back();
        const int v = path.empty() ? from : fabric_->link(path.back()).to;
        if (v == to) paths.push_back(path);
        for (const int link : routes.next(v)) {
            open.push_back(path);
            open.back().push_back(link);
        }
    }
    return paths;
}

std::vector<int> Router::stops(const RoutesTo& routes) const {
    std::vector<int> reachable;
    std::copy_if(stops_.begin(), stops_.end(), std::back_inserter(reachable), [&](int v) { return routes.from(v); });
    return reachable;
}

int Router::hashed_next(const RoutesTo& routes, int vertex, int from) const {
    const std::span<const int> next = routes.next(vertex);
    std::uint64_t lanes = 0;
    for (const int link : next) lanes += static_cast<std::uint64_t>(fabric_->link(link).lanes);
    const auto ends = (static_cast<std::uint64_t>(from) << 32) | static_cast<std::uint64_t>(routes.destination);
    std::uint64_t lane = mixed_bits(mixed_bits(ends) + static_cast<std::uint64_t>(vertex)) % lanes;
    for (const int link : next) {
        const auto of_link = static_cast<std::uint64_t>(fabric_->link(link).lanes);
        if (lane < of_link) return link;
        lane -= of_link;
    }
    throw std::logic_error("a vertex on a route without a next link");
}

std::vector<LinkShare> Router::shares(int from, int to, Routing routing) const {
    if (from == to) return {};
    const RoutesTo routes = routes_to(to);
    if (!routes.from(from)) throw no_route(*fabric_, link_class_, from, to);
    std::vector<LinkShare> shares;
    if (routing == Routing::hashed) {
        for (int v = from; v != to; v = fabric_->link(shares.back().link).to)
            shares.push_back({hashed_next(routes, v, from), 1});
        return shares;
    }
    std::map<int, double> of_link;
    const auto note = [&](int link, double share) { of_link[link] += share; };
    TrafficPush last(routes, *fabric_);
    if (routing == Routing::sprayed) last.put(from, 1);
    if (routing == Routing::valiant) {
        const std::vector<int> all = stops(routes);
        for (const int stop : all) {
            const RoutesTo to_stop = routes_to(stop);
            if (!to_stop.from(from)) throw no_route(*fabric_, link_class_, from, stop);
            TrafficPush first(to_stop, *fabric_);
            first.put(from, 1.0 / static_cast<double>(all.size()));
            first.flow(note);
            last.put(stop, 1.0 / static_cast<double>(all.size()));
        }
    }
    last.flow(note);
    for (const auto& [link, share] : of_link) shares.push_back({link, share});
    return shares;
}

}  // namespace strata
