// Ring, trees, direct and in-network algorithms for all-reduce, all-gather and reduce-scatter. All-gather is
// reduce-scatter with every arrow turned round; all-reduce is one after the other, except for the pair of trees.
#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/fabric/stages.hpp"

namespace strata {

namespace {

using Groups = std::vector<std::vector<int>>;

// Whether parts travel to their owners, or from them.
enum class Way : unsigned char { gather, scatter };

// The parent in a binary tree over 0 .. n-1 with root 0: all odd numbers are leaves (Sanders, Speck and Traff 2009).
int parent(int r, int n) {
    const int bit = r & -r, up = (r ^ bit) | (bit << 1);
    return up < n ? up : r ^ bit;
}

// Steps from the farthest leaf to the root.
int depth(int n) {
    int deepest = 0;
    for (int leaf = 1; leaf < n; ++leaf) {
        int steps = 0;
        for (int r = leaf; r != 0; r = parent(r, n)) ++steps;
        deepest = std::max(deepest, steps);
    }
    return deepest;
}

// Reduce-scatter (or all-gather) of `bytes` inside each of the groups at once.
StageTraffic scatter(const Groups& groups, LinkClass link_class, Algorithm algorithm, Bytes bytes, Way way) {
    StageTraffic traffic{.link_class = link_class};
    const auto arrow = [&](int from, int to, Bytes size) {
        traffic.demands.push_back(way == Way::gather ? TrafficDemand{to, from, size} : TrafficDemand{from, to, size});
    };
    for (const std::vector<int>& group : groups) {
        const std::size_t n = group.size();
        const Bytes part = bytes / static_cast<double>(n);
        if (algorithm == Algorithm::in_network) {
            if (n > 1) traffic.in_network.push_back(group);
            traffic.part = part;
            traffic.multicast = way == Way::gather;
        } else if (algorithm == Algorithm::direct) {
            for (const int from : group)
                for (const int to : group)
                    if (from != to) arrow(from, to, part);
        } else {  // a tree for each part, rotated so that its owner is the root
            for (std::size_t root = 0; root < n; ++root)
                for (std::size_t r = 1; r < n; ++r)
                    arrow(group[(root + r) % n], group[(root + std::size_t(parent(int(r), int(n)))) % n], part);
            traffic.rounds = depth(static_cast<int>(n));
        }
    }
    return traffic;
}

// Half of the vector up and down each of two trees; who is inside in one is a leaf in the other.
StageTraffic pair_of_trees(const Groups& groups, LinkClass link_class, Bytes bytes) {
    StageTraffic traffic{.link_class = link_class};
    for (const std::vector<int>& group : groups) {
        const int n = static_cast<int>(group.size());
        const auto member = [&](int r, bool second) {  // mirrored, or shifted where the mirror keeps leaves leaves
            return group[std::size_t(!second ? r : n % 2 == 0 ? n - 1 - r : (r + 1) % n)];
        };
        for (const bool second : {false, true})
            for (int r = 1; r < n; ++r) {
                const int child = member(r, second), above = member(parent(r, n), second);
                traffic.demands.push_back({child, above, bytes / 2});
                traffic.demands.push_back({above, child, bytes / 2});
            }
        traffic.rounds = 2 * depth(n);
    }
    return traffic;
}

// Rings through all domains: ring c enters every other domain at rank c and leaves it at rank c - 1, and the other way
// round in those between, so that it crosses between ranks of the same number. With an odd count of domains the last
// crossing needs a step inside first.
Stage rings(const Groups& domains, Bytes bytes, double passes) {
    const std::size_t width = domains[0].size(), ring_count = domains.size() > 1 ? width : 1;
    const auto n = static_cast<double>(width * domains.size());
    const Bytes on_an_edge = bytes * (passes * (n - 1) / n / static_cast<double>(ring_count));
    StageTraffic inside{.link_class = LinkClass::scale_up}, across{.link_class = LinkClass::scale_out};
    for (std::size_t c = 0; c < ring_count; ++c) {
        const auto at = [&](std::size_t d, std::size_t step) {  // the rank of domain d that the ring visits
            const std::size_t last = width - 1;
            return domains[d][(c + (d % 2 == 0 ? step : last - step)) % width];
        };
        for (std::size_t d = 0; d < domains.size(); ++d) {
            for (std::size_t step = 0; step + 1 < width; ++step)
                inside.demands.push_back({at(d, step), at(d, step + 1), on_an_edge});
            const std::size_t next = (d + 1) % domains.size();
            if (domains.size() == 1) {
                if (width > 1) inside.demands.push_back({at(d, width - 1), at(d, 0), on_an_edge});
                continue;
            }
            int from = at(d, width - 1);
            if (next == 0 && domains.size() % 2 == 1 && width > 1) {
                inside.demands.push_back({from, at(d, 0), on_an_edge});
                from = at(d, 0);
            }
            across.demands.push_back({from, at(next, 0), on_an_edge});
        }
    }
    // Each part goes once round for each pass: all edges of a ring but one, one after the other.
    for (StageTraffic* traffic : {&inside, &across})
        traffic->rounds = passes * (n - 1) / n * static_cast<double>(traffic->demands.size() / ring_count);
    return {.traffic = {std::move(inside), std::move(across)}, .in_turn = true};
}

Stage stage(StageTraffic traffic) { return {.traffic = {std::move(traffic)}}; }

// Ranks of the same number in each domain.
Groups rails(const Groups& domains) {
    Groups all(domains[0].size());
    for (const std::vector<int>& domain : domains)
        for (std::size_t i = 0; i < domain.size(); ++i) all[i].push_back(domain[i]);
    return all;
}

void require_reducing_switches(const Fabric& fabric, LinkClass link_class) {
    if (!fabric.layer(link_class).reduces)
        throw InputError(fmt::format("{}.{}", fabric.name(), to_string(link_class)),
                         "switches that reduce, for an in-network collective", "reduces: false");
}

std::vector<Stage> inside_out(const Fabric& fabric, const Groups& domains, const Reduction& what) {
    const bool inside = domains[0].size() > 1, across = domains.size() > 1;
    if (what.algorithm == Algorithm::in_network) {
        if (inside) require_reducing_switches(fabric, LinkClass::scale_up);
        if (across) require_reducing_switches(fabric, LinkClass::scale_out);
    }
    const Bytes of_a_rail = what.bytes / static_cast<double>(domains[0].size());
    const Groups rail = rails(domains);
    const bool trees = what.algorithm == Algorithm::tree && what.operation == Operation::all_reduce;
    std::vector<Stage> stages;
    if (what.operation != Operation::all_gather) {
        if (inside && !(trees && !across))
            stages.push_back(stage(scatter(domains, LinkClass::scale_up, what.algorithm, what.bytes, Way::scatter)));
        if (across && !trees)
            stages.push_back(stage(scatter(rail, LinkClass::scale_out, what.algorithm, of_a_rail, Way::scatter)));
    }
    if (trees)
        stages.push_back(stage(across ? pair_of_trees(rail, LinkClass::scale_out, of_a_rail)
                                      : pair_of_trees(domains, LinkClass::scale_up, what.bytes)));
    if (what.operation != Operation::reduce_scatter) {
        if (across && !trees)
            stages.push_back(stage(scatter(rail, LinkClass::scale_out, what.algorithm, of_a_rail, Way::gather)));
        if (inside && !(trees && !across))
            stages.push_back(stage(scatter(domains, LinkClass::scale_up, what.algorithm, what.bytes, Way::gather)));
    }
    return stages;
}

}  // namespace

CollectiveTime reduction(const Fabric& fabric, const std::vector<int>& ranks, const Reduction& what,
                         const CollectiveTerms& terms) {
    if (ranks.empty()) throw InputError(fabric.name(), "at least one rank", "none");
    const Groups domains = by_domain(fabric, ranks, true);
    const double passes = what.operation == Operation::all_reduce ? 2 : 1;
    return time_of(fabric,
                   what.algorithm == Algorithm::ring ? std::vector<Stage>{rings(domains, what.bytes, passes)}
                                                     : inside_out(fabric, domains, what),
                   static_cast<int>(ranks.size()), terms);
}

}  // namespace strata
