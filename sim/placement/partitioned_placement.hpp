// Placement by what goes together: copies of the busiest experts as EPLB makes them, the slots cut into nodes so that
// tokens cross as few as they can, and within each node packed on ranks by load. Inside a node links are fast, so there
// balance comes first.
#pragma once

#include "sim/placement/expert_placement.hpp"
#include "sim/placement/graph_partition.hpp"

namespace strata {

struct PartitionedSpec {
    int redundant = 0;
    double tolerance = 0.1;  // of a node's load above the mean
    int starts = 4;
    std::uint64_t seed = 0;
};

// Throws InputError where slots do not divide among the ranks.
ExpertPlacement partitioned_placement(const CoActivationGraph& experts, const TwoLevelFabric& fabric,
                                      const PartitionedSpec& spec);

}  // namespace strata
