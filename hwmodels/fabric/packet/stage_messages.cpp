#include "hwmodels/fabric/packet/stage_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strata {

namespace {

constexpr double kMostMessages = 2e7;  // some gigabyte of them

void require_few(const Fabric& fabric, double messages, const std::string& of_what) {
    if (messages > kMostMessages)
        throw InputError(fabric.name(), fmt::format("at most {:.0e} messages", kMostMessages),
                         fmt::format("{}: use the flow level", of_what));
}

LinkClass class_between(const Fabric& fabric, int from, int to) {
    return fabric.domain_of(from) == fabric.domain_of(to) ? LinkClass::scale_up : LinkClass::scale_out;
}

void add_circle(std::vector<Message>& messages, const Fabric& fabric, const Circle& circle, int stage) {
    const auto edges = static_cast<int>(circle.ranks.size());
    require_few(fabric, double(messages.size()) + double(edges) * circle.steps,
                fmt::format("{} steps on {} edges", circle.steps, edges));
    for (int step = 0; step < circle.steps; ++step)
        for (int e = 0; e < edges; ++e) {
            const int from = circle.ranks[std::size_t(e)], to = circle.ranks[std::size_t((e + 1) % edges)];
            const int before = static_cast<int>(messages.size()) - edges + (e == 0 ? edges - 1 : -1);
            messages.push_back({.from = from,
                                .to = to,
                                .link_class = class_between(fabric, from, to),
                                .bytes = circle.bytes / circle.steps,
                                .after = {step == 0 ? -1 : before, -1},
                                .stage = stage});
        }
}

// Parts that a tree passes on one by one, as NCCL cuts what a channel carries (enqueue.cc, trees of the simple
// protocol): an eighth of a buffer of 4 MiB, halved while there are fewer than so many a level, down to so many bytes.
int parts_of(Bytes bytes, int depth) {
    double part = 512 * 1024;
    for (const auto& [a_level, least] : {std::pair(8, 128), std::pair(4, 64), std::pair(1, 32)})
        while (bytes.si() / part < a_level * depth && part > least * 1024) part /= 2;
    return std::max(1, static_cast<int>(std::ceil(bytes.si() / part)));
}

// For each part a message up from each rank but the root, then one down to each: the r-th rank's are the (r - 1)-th.
void add_tree(std::vector<Message>& messages, const Fabric& fabric, const Tree& tree, int stage) {
    const auto n = static_cast<int>(tree.ranks.size());
    const int parts = parts_of(tree.bytes, tree_depth(n)), ways = int(tree.up) + int(tree.down);
    const int first = static_cast<int>(messages.size()), of_a_part = (n - 1) * ways;
    require_few(fabric, first + double(parts) * of_a_part, fmt::format("{} parts on {} edges", parts, n - 1));
    std::vector<std::array<int, 2>> children(std::size_t(n), {-1, -1});
    for (int r = 1; r < n; ++r) {
        std::array<int, 2>& of = children[std::size_t(tree_parent(r, n))];
        of[of[0] < 0 ? 0 : 1] = r;
    }
    for (int part = 0; part < parts; ++part) {
        const int up = first + part * of_a_part - 1, down = up + (tree.up ? n - 1 : 0);  // of rank 0, if it had one
        const auto add = [&](int from, int to, const std::array<int, 2>& after) {
            const int child = tree.ranks[std::size_t(from)], above = tree.ranks[std::size_t(to)];
            messages.push_back({.from = child,
                                .to = above,
                                .link_class = class_between(fabric, child, above),
                                .bytes = tree.bytes / parts,
                                .after = after,
                                .behind = part == 0 ? -1 : static_cast<int>(messages.size()) - of_a_part,
                                .stage = stage});
        };
        const auto sent_up = [&](int child) { return child < 0 ? -1 : up + child; };
        for (int r = 1; r < n && tree.up; ++r)
            add(r, tree_parent(r, n), {sent_up(children[std::size_t(r)][0]), sent_up(children[std::size_t(r)][1])});
        for (int r = 1; r < n && tree.down; ++r) {
            const int above = tree_parent(r, n);
            const int source = above > 0 ? down + above : tree.up ? sent_up(children[0][0]) : -1;
            add(above, r, {source, -1});
        }
    }
}

// Each group's vector in parts, one to or from each member.
void add_in_network(std::vector<Message>& messages, const Router& router, const StageTraffic& traffic, int stage) {
    for (const std::vector<int>& group : traffic.in_network) {
        require_few(router.fabric(), double(messages.size()) + double(group.size()) * double(group.size()),
                    fmt::format("groups of {} ranks", group.size()));
        for (std::size_t owner = 0; owner < group.size(); ++owner) {
            const auto tree = std::make_shared<const SwitchTree>(
                switch_tree(router, group, group[owner], static_cast<int>(owner), traffic.multicast));
            for (const int other : group)
                if (other != group[owner])
                    messages.push_back({.from = traffic.multicast ? group[owner] : other,
                                        .to = traffic.multicast ? other : group[owner],
                                        .link_class = traffic.link_class,
                                        .bytes = traffic.part,
                                        .stage = stage,
                                        .tree = tree});
        }
    }
}

// Each endpoint begins with its neighbour, as libraries do, so that not all begin with the same one.
void add_traffic(std::vector<Message>& messages, const Fabric& fabric, const StageTraffic& traffic, int stage) {
    std::vector<TrafficDemand> demands = traffic.demands;
    const auto turn = [&](const TrafficDemand& d) { return (d.to - d.from + fabric.endpoints()) % fabric.endpoints(); };
    std::stable_sort(demands.begin(), demands.end(),
                     [&](const TrafficDemand& a, const TrafficDemand& b) { return turn(a) < turn(b); });
    for (const TrafficDemand& d : demands)
        messages.push_back(
            {.from = d.from, .to = d.to, .link_class = traffic.link_class, .bytes = d.bytes, .stage = stage});
}

}  // namespace

std::vector<Message> messages_of(const Fabric& fabric, const std::vector<Stage>& stages, bool pipelined) {
    const std::array routers{Router(fabric, LinkClass::scale_up), Router(fabric, LinkClass::scale_out)};
    std::vector<Message> messages;
    int at = 0;
    for (const Stage& stage : stages) {
        const std::size_t before = messages.size();
        for (const Circle& circle : stage.circles) add_circle(messages, fabric, circle, at);
        for (const Tree& tree : stage.trees) add_tree(messages, fabric, tree, at);
        for (const StageTraffic& traffic : stage.traffic) {
            if (stage.circles.empty() && stage.trees.empty()) add_traffic(messages, fabric, traffic, at);
            add_in_network(messages, routers[static_cast<std::size_t>(traffic.link_class)], traffic, at);
        }
        if (!pipelined && messages.size() > before) ++at;
    }
    return messages;
}

}  // namespace strata
