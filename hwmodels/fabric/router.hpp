// Routes through one layer of a fabric. All are shortest in links, or two such one after another (Valiant); endpoints
// forward only where the layer wires them to each other.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "hwmodels/fabric/fabric.hpp"

namespace strata {

// How traffic is laid on the shortest routes.
enum class Routing : unsigned char {
    hashed,   // a flow takes one of them, picked at each switch by a hash of its two ends (static ECMP)
    sprayed,  // every switch spreads a flow over all of its next links, by their bandwidth (ideal packet spraying)
    valiant   // sprayed to each switch that has endpoints, one as likely as another, and on from there (Valiant 1982)
};

// `share` of a flow's bytes cross the link.
struct LinkShare {
    int link = 0;
    double share = 1;
};

// The shortest routes from everywhere to one vertex.
struct RoutesTo {
    int destination = 0;
    std::vector<int> reached;              // vertices with a route, nearest first
    std::vector<int> place;                // in `reached`, of each vertex; -1: no route
    std::vector<int> hops;                 // links to go, of the i-th of `reached`
    std::vector<int> next_begin, next_of;  // links that lead nearer, of the i-th of `reached`: next_of[next_begin[i]..)

    bool from(int vertex) const { return place[static_cast<std::size_t>(vertex)] >= 0; }
    int hops_from(int vertex) const { return hops[static_cast<std::size_t>(place[static_cast<std::size_t>(vertex)])]; }
    std::span<const int> next(int vertex) const {  // links that lead nearer
        const auto i = static_cast<std::size_t>(place[static_cast<std::size_t>(vertex)]);
        const auto begin = static_cast<std::size_t>(next_begin[i]), end = static_cast<std::size_t>(next_begin[i + 1]);
        return std::span(next_of).subspan(begin, end - begin);
    }
};

class Router {
public:
    // The fabric must outlive the router.
    Router(const Fabric& fabric, LinkClass link_class);

    const Fabric& fabric() const { return *fabric_; }
    LinkClass link_class() const { return link_class_; }

    RoutesTo routes_to(int destination) const;
    // Links of the shortest route; nothing where there is none.
    std::optional<int> hops(int from, int to) const;
    // All shortest routes as lists of links; at most `limit` of them.
    std::vector<std::vector<int>> minimal_paths(int from, int to, std::size_t limit = 1 << 16) const;
    // The links that a flow uses. Throws InputError where there is no route.
    std::vector<LinkShare> shares(int from, int to, Routing routing) const;
    // Valiant's intermediate stops on the way to a vertex: switches that have endpoints, or, where endpoints are wired
    // to each other, all of them.
    std::vector<int> stops(const RoutesTo& routes) const;
    // The link that a flow takes from `vertex`, by a hash of the flow's ends.
    int hashed_next(const RoutesTo& routes, int vertex, int from) const;

private:
    const Fabric* fabric_;
    LinkClass link_class_;
    std::vector<int> out_begin_, out_links_;  // of each vertex, in this layer
    std::vector<int> stops_;
};

// Pushes traffic to one destination down its routes: put bytes in at vertices, then `flow` visits each link with what
// crosses it.
class TrafficPush {
public:
    TrafficPush(const RoutesTo& routes, const Fabric& fabric)
        : routes_(routes), fabric_(fabric), at_(routes.place.size(), 0.0) {}
    void put(int vertex, double bytes) { at_[static_cast<std::size_t>(vertex)] += bytes; }

    template <class Visit>
    void flow(Visit visit) {
        for (std::size_t i = routes_.reached.size(); i-- > 1;) {  // farthest first; the destination keeps what comes
            const int vertex = routes_.reached[i];
            const double here = at_[static_cast<std::size_t>(vertex)];
            if (here == 0) continue;
            double bandwidth = 0;
            for (const int link : routes_.next(vertex)) bandwidth += fabric_.link(link).bandwidth.si();
            for (const int link : routes_.next(vertex)) {
                const double part = here * (fabric_.link(link).bandwidth.si() / bandwidth);
                at_[static_cast<std::size_t>(fabric_.link(link).to)] += part;
                visit(link, part);
            }
        }
    }

private:
    const RoutesTo& routes_;
    const Fabric& fabric_;
    std::vector<double> at_;
};

// The error for two endpoints that a layer does not join.
InputError no_route(const Fabric& fabric, LinkClass link_class, int from, int to);

}  // namespace strata
