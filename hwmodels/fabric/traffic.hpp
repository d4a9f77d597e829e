// What a pattern of traffic puts on each link of a layer, and how long the busiest link needs for it.
//
// Where all flows carry the same bytes, that is also when max-min fair sharing ends: the link with the most bytes for
// its capacity is the first to fill, it stays full until its flows end, all of them at once because they have the same
// rate and bytes, and no flow ever has a lower rate. flow_simulation.hpp plays the same event by event; where bytes
// differ the busiest link is only a bound from below.
#pragma once

#include <vector>

#include "hwmodels/fabric/router.hpp"

namespace strata {

struct TrafficDemand {
    int from = 0, to = 0;  // endpoints
    Bytes bytes{};
};

// The way of vectors, one from each endpoint, that switches add up on their way to `root`: each waits for all its parts
// and sends one copy on (SHARP, Graham et al., COMHPC 2016). Multicast is the reverse: one copy down each link. Trees
// of different numbers take different ways.
struct SwitchTree {
    std::vector<int> links{};  // in the direction of the bytes
    int longest = 0;           // links of the longest route
    bool multicast = false;
};
// Throws InputError where there is no route.
SwitchTree switch_tree(const Router& router, const std::vector<int>& endpoints, int root, int number, bool multicast);

class LinkLoads {
public:
    explicit LinkLoads(const Fabric& fabric) : fabric_(&fabric), bytes_(fabric.links().size()) {}

    // Returns the links of the longest route. Throws InputError where there is no route.
    int add(const Router& router, const std::vector<TrafficDemand>& demands, Routing routing);
    // `bytes` on each link.
    void add(const SwitchTree& tree, Bytes bytes);

    const std::vector<Bytes>& bytes() const { return bytes_; }
    struct Busiest {
        int link = -1;  // -1: nothing was sent
        Seconds time{};
    };
    Busiest busiest() const;
    // What endpoints put on links of the class; what they take off them.
    Bytes sent(LinkClass link_class) const;
    Bytes received(LinkClass link_class) const;

private:
    const Fabric* fabric_;
    std::vector<Bytes> bytes_;  // of each link
};

}  // namespace strata
