// The global links are a circulant: ports 2t and 2t + 1 of a group go d groups on and d groups back, with d = 1, 2, ...
// and again from 1 when all distances have been used. Every pair of groups has a link as soon as there are ports
// enough.
#include <fmt/format.h>

#include "hwmodels/fabric/shapes.hpp"

namespace strata {

namespace {

using RouterGroups = std::vector<std::vector<int>>;

void wire_globally(Fabric& fabric, const RouterGroups& groups, int ports_of_a_router, const Wire& lane, int plane) {
    const int count = static_cast<int>(groups.size()), half = (count - 1) / 2;
    const int ports = static_cast<int>(groups[0].size()) * ports_of_a_router;
    const auto router = [&](int group, int port) {
        return groups[static_cast<std::size_t>(group)][static_cast<std::size_t>(port / ports_of_a_router)];
    };
    int port = 0;
    while (port < ports) {
        for (int distance = 1; distance <= half && port + 1 < ports; ++distance, port += 2)
            for (int g = 0; g < count; ++g)
                fabric.connect(router(g, port), router((g + distance) % count, port + 1), lane, plane);
        if (count % 2 == 0 && port < ports) {  // the group opposite needs one port
            for (int g = 0; g < count / 2; ++g)
                fabric.connect(router(g, port), router(g + count / 2, port), lane, plane);
            ++port;
        }
        if (port + 1 == ports && count % 2 == 1) break;  // one port is left over in each group
    }
}

}  // namespace

void join(Fabric& fabric, std::span<const int> endpoints, const Dragonfly& shape, const Wire& lane, int plane) {
    const long most = 1L * shape.routers * shape.groups * shape.endpoints_per_router;
    if (shape.routers < 1 || shape.groups < 2 || shape.endpoints_per_router < 1 || shape.global_ports < 1 ||
        shape.groups > shape.routers * shape.global_ports + 1)
        throw InputError("dragonfly", "2 to routers x global_ports + 1 groups",
                         fmt::format("{} groups of {} routers with {} global ports", shape.groups, shape.routers,
                                     shape.global_ports));
    if (static_cast<long>(endpoints.size()) > most)
        throw InputError("dragonfly", fmt::format("at most {} endpoints", most), fmt::format("{}", endpoints.size()));
    RouterGroups groups(static_cast<std::size_t>(shape.groups));
    for (std::vector<int>& group : groups)
        for (int r = 0; r < shape.routers; ++r) group.push_back(fabric.add_switch(lane.link_class, 1, plane));
    for (std::size_t e = 0; e < endpoints.size(); ++e) {
        const std::size_t r = e / static_cast<std::size_t>(shape.endpoints_per_router);
        const std::size_t of_group = static_cast<std::size_t>(shape.routers);
        fabric.connect(endpoints[e], groups[r / of_group][r % of_group], lane, plane);
    }
    for (const std::vector<int>& group : groups)
        for (std::size_t a = 0; a < group.size(); ++a)
            for (std::size_t b = a + 1; b < group.size(); ++b) fabric.connect(group[a], group[b], lane, plane);
    wire_globally(fabric, groups, shape.global_ports, lane, plane);
}

}  // namespace strata
