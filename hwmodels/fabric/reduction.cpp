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

void add_edges(std::vector<TrafficDemand>& demands, const Tree& tree) {
    const auto n = static_cast<int>(tree.ranks.size());
    for (int r = 1; r < n; ++r) {
        const int child = tree.ranks[std::size_t(r)], above = tree.ranks[std::size_t(tree_parent(r, n))];
        if (tree.up) demands.push_back({child, above, tree.bytes});
        if (tree.down) demands.push_back({above, child, tree.bytes});
    }
}

// Reduce-scatter (or all-gather) of `bytes` inside each of the groups at once.
Stage scatter(const Groups& groups, LinkClass link_class, Algorithm algorithm, Bytes bytes, Way way) {
    Stage stage;
    StageTraffic traffic{.link_class = link_class};
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
                    if (from != to)
                        traffic.demands.push_back(way == Way::gather ? TrafficDemand{to, from, part}
                                                                     : TrafficDemand{from, to, part});
        } else {  // a tree for each part, rotated so that its owner is the root
            for (std::size_t root = 0; root < n; ++root) {
                Tree tree{.ranks = group, .bytes = part, .up = way == Way::scatter, .down = way == Way::gather};
                std::rotate(tree.ranks.begin(), tree.ranks.begin() + std::ptrdiff_t(root), tree.ranks.end());
                add_edges(traffic.demands, tree);
                stage.trees.push_back(std::move(tree));
            }
            traffic.rounds = tree_depth(static_cast<int>(n));
        }
    }
    stage.traffic.push_back(std::move(traffic));
    return stage;
}

// Half of the vector up and down each of two trees; who is inside in one is a leaf in the other.
Stage pair_of_trees(const Groups& groups, LinkClass link_class, Bytes bytes) {
    Stage stage{.traffic = {{.link_class = link_class}}};
    for (const std::vector<int>& group : groups) {
        Tree first{.ranks = group, .bytes = bytes / 2, .up = true, .down = true}, second = first;
        if (group.size() % 2 == 0)  // mirrored, or shifted where the mirror keeps leaves leaves
            std::reverse(second.ranks.begin(), second.ranks.end());
        else
            std::rotate(second.ranks.begin(), second.ranks.begin() + 1, second.ranks.end());
        for (Tree* tree : {&first, &second}) {
            add_edges(stage.traffic[0].demands, *tree);
            stage.trees.push_back(std::move(*tree));
        }
        stage.traffic[0].rounds = 2 * tree_depth(static_cast<int>(group.size()));
    }
    return stage;
}

// Rings through all domains: ring c enters every other domain at rank c and leaves it at rank c - 1, and the other way
// round in those between, so that it crosses between ranks of the same number. With an odd count of domains the last
// crossing needs a step inside first.
Stage rings(const Fabric& fabric, const Groups& domains, Bytes bytes, int passes) {
    const std::size_t width = domains[0].size(), ring_count = domains.size() > 1 ? width : 1;
    const int n = static_cast<int>(width * domains.size());
    if (n == 1) return {};
    const Bytes on_an_edge = bytes * (passes * (n - 1.0) / n / static_cast<double>(ring_count));
    Stage stage{.traffic = {{.link_class = LinkClass::scale_up}, {.link_class = LinkClass::scale_out}},
                .in_turn = true};
    for (std::size_t c = 0; c < ring_count; ++c) {
        Circle circle{.bytes = on_an_edge};
        for (std::size_t d = 0; d < domains.size(); ++d)
            for (std::size_t step = 0; step < width; ++step)
                circle.ranks.push_back(domains[d][(c + (d % 2 == 0 ? step : width - 1 - step)) % width]);
        if (domains.size() > 1 && domains.size() % 2 == 1 && width > 1)
            circle.ranks.push_back(domains.back()[c]);  // from where it crosses back to the first
        const auto edges = static_cast<int>(circle.ranks.size());
        circle.steps = passes * (n - 1) * edges / n;
        for (int e = 0; e < edges; ++e) {
            const int from = circle.ranks[std::size_t(e)], to = circle.ranks[std::size_t((e + 1) % edges)];
            stage.traffic[fabric.domain_of(from) == fabric.domain_of(to) ? 0 : 1].demands.push_back(
                {from, to, on_an_edge});
        }
        stage.circles.push_back(std::move(circle));
    }
    // Each part goes once round for each pass: all edges of a ring but one, one after the other.
    for (StageTraffic& traffic : stage.traffic)
        traffic.rounds = passes * (n - 1.0) / n * static_cast<double>(traffic.demands.size() / ring_count);
    return stage;
}

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
            stages.push_back(scatter(domains, LinkClass::scale_up, what.algorithm, what.bytes, Way::scatter));
        if (across && !trees)
            stages.push_back(scatter(rail, LinkClass::scale_out, what.algorithm, of_a_rail, Way::scatter));
    }
    if (trees)
        stages.push_back(across ? pair_of_trees(rail, LinkClass::scale_out, of_a_rail)
                                : pair_of_trees(domains, LinkClass::scale_up, what.bytes));
    if (what.operation != Operation::reduce_scatter) {
        if (across && !trees)
            stages.push_back(scatter(rail, LinkClass::scale_out, what.algorithm, of_a_rail, Way::gather));
        if (inside && !(trees && !across))
            stages.push_back(scatter(domains, LinkClass::scale_up, what.algorithm, what.bytes, Way::gather));
    }
    return stages;
}

}  // namespace

int tree_parent(int r, int n) {
    const int bit = r & -r, up = (r ^ bit) | (bit << 1);
    return up < n ? up : r ^ bit;
}

int tree_depth(int n) {
    int deepest = 0;
    for (int leaf = 1; leaf < n; ++leaf) {
        int steps = 0;
        for (int r = leaf; r != 0; r = tree_parent(r, n)) ++steps;
        deepest = std::max(deepest, steps);
    }
    return deepest;
}

std::vector<Stage> stages_of(const Fabric& fabric, const std::vector<int>& ranks, const Reduction& what) {
    if (ranks.empty()) throw InputError(fabric.name(), "at least one rank", "none");
    const Groups domains = by_domain(fabric, ranks, true);
    if (what.algorithm != Algorithm::ring) return inside_out(fabric, domains, what);
    return {rings(fabric, domains, what.bytes, what.operation == Operation::all_reduce ? 2 : 1)};
}

CollectiveTime reduction(const Fabric& fabric, const std::vector<int>& ranks, const Reduction& what,
                         const CollectiveTerms& terms) {
    return time_of(fabric, stages_of(fabric, ranks, what), static_cast<int>(ranks.size()), terms);
}

}  // namespace strata
