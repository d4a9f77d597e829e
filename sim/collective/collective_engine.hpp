// A collective on a fabric: at the level of flows here, and what the packet engine shares with it.
#pragma once

#include "hwmodels/fabric/stages.hpp"
#include "sim/result/run.hpp"

namespace strata {

// What a scenario asks for, worked out on its fabric.
struct PlannedCollective {
    Fabric fabric;
    std::vector<int> ranks;
    std::vector<Stage> stages;
    // Bytes of a rank by which its bandwidth is reckoned, as nccl-tests and DeepEP print it, and the share of them that
    // leaves the rank.
    Bytes bytes{};
    double bus_share = 1;
};

// Throws InputError for a fabric that cannot be built and for ranks that it does not have.
PlannedCollective plan(const CollectiveWorkload& what);

// Metrics of a time, and what is known of the fabric.
Run run_of(const CollectiveWorkload& what, const PlannedCollective& planned, const CollectiveTime& time,
           const std::string& engine);

// Throws InputError where there is no route, a latency is unknown, or routing is adaptive: flows have no queues to see.
Run run_collective(const CollectiveWorkload& what);

}  // namespace strata
