#include "hwmodels/fabric/packet/stage_messages.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strata {

namespace {

constexpr double kMostMessages = 2e7;  // some gigabyte of them

void add_circle(std::vector<Message>& messages, const Fabric& fabric, const Circle& circle, int stage) {
    const auto edges = static_cast<int>(circle.ranks.size());
    if (double(edges) * circle.steps + double(messages.size()) > kMostMessages)
        throw InputError(fabric.name(), fmt::format("at most {:.0e} messages", kMostMessages),
                         fmt::format("{} steps on {} edges: use the flow level", circle.steps, edges));
    for (int step = 0; step < circle.steps; ++step)
        for (int e = 0; e < edges; ++e) {
            const int from = circle.ranks[std::size_t(e)], to = circle.ranks[std::size_t((e + 1) % edges)];
            const int before = static_cast<int>(messages.size()) - edges + (e == 0 ? edges - 1 : -1);
            messages.push_back({.from = from,
                                .to = to,
                                .link_class = fabric.domain_of(from) == fabric.domain_of(to) ? LinkClass::scale_up
                                                                                             : LinkClass::scale_out,
                                .bytes = circle.bytes / circle.steps,
                                .after = step == 0 ? -1 : before,
                                .stage = stage});
        }
}

// Each endpoint begins with its neighbour, as libraries do, so that not all begin with the same one.
void add_traffic(std::vector<Message>& messages, const Fabric& fabric, const StageTraffic& traffic, int stage) {
    if (!traffic.in_network.empty() || traffic.rounds > 1)
        throw InputError(fabric.name(), "an algorithm that packets can play: ring or direct",
                         "a tree or an in-network one: use the flow level");
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
    std::vector<Message> messages;
    int at = 0;
    for (const Stage& stage : stages) {
        const std::size_t before = messages.size();
        for (const Circle& circle : stage.circles) add_circle(messages, fabric, circle, at);
        if (stage.circles.empty())
            for (const StageTraffic& traffic : stage.traffic) add_traffic(messages, fabric, traffic, at);
        if (!pipelined && messages.size() > before) ++at;
    }
    return messages;
}

}  // namespace strata
