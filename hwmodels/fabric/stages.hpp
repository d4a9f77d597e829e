// A collective as stages that wait for each other, each a set of traffic that moves at once.
#pragma once

#include <array>
#include <vector>

#include "hwmodels/fabric/collectives.hpp"

namespace strata {

// Traffic of one stage on one layer.
struct StageTraffic {
    LinkClass link_class = LinkClass::scale_up;
    std::vector<TrafficDemand> demands{};
    // Groups whose vector is added up by switches, or multicast: a part of `part` bytes for each member.
    std::vector<std::vector<int>> in_network{};
    Bytes part{};
    bool multicast = false;
    double rounds = 1;  // latencies that follow each other
};

// A circle of ranks. On each of its edges go `bytes` in as many parts as there are steps; a rank passes on in a step
// what it was given in the one before.
struct Circle {
    std::vector<int> ranks{};
    Bytes bytes{};
    int steps = 1;
};

struct Stage {
    std::vector<StageTraffic> traffic{};
    bool in_turn = false;           // its latencies follow each other, though its bytes move at once
    std::vector<Circle> circles{};  // that the traffic is made of; none: it is all on its way at once
};

std::vector<Stage> stages_of(const Fabric& fabric, const std::vector<int>& ranks, const AllToAll& what);
// `back`: a combine, from where a dispatch has sent them.
std::vector<Stage> stages_of(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& what,
                             bool back);
std::vector<Stage> stages_of(const Fabric& fabric, const std::vector<int>& ranks, const Reduction& what);

// What all stages together put on each link.
LinkLoads loads_of(const Fabric& fabric, const std::vector<Stage>& stages, const CollectiveTerms& terms);

CollectiveTime time_of(const Fabric& fabric, const std::vector<Stage>& stages, int ranks, const CollectiveTerms& terms);

// The ranks of each domain, in order. Throws InputError unless domains have equally many, when `even` is asked for.
std::vector<std::vector<int>> by_domain(const Fabric& fabric, const std::vector<int>& ranks, bool even);

// What it costs beside wires and latencies; fills in `startup`, `waiting` and `time`.
CollectiveTime with_terms(CollectiveTime time, int ranks, const CollectiveTerms& terms);

}  // namespace strata
