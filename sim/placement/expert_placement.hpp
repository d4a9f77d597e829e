// Which rank holds which routed experts of a layer. Slots are copies of experts; each rank has as many. An expert with
// several slots (redundant ones) shares its tokens evenly among them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hwmodels/units.hpp"

namespace strata {

// Two levels of links: ranks of a node reach each other inside, others outside. Bandwidths are of one rank.
struct TwoLevelFabric {
    int nodes = 1, ranks_per_node = 1;
    Bandwidth inside{}, outside{};

    int ranks() const { return nodes * ranks_per_node; }
    int node_of(int rank) const { return rank / ranks_per_node; }
};

struct ExpertPlacement {
    int experts = 0, ranks = 0;
    std::vector<int> expert_of_slot{};  // slots of a rank stand together

    int slots_per_rank() const { return int(expert_of_slot.size()) / ranks; }
    int rank_of_slot(int slot) const { return slot / slots_per_rank(); }
    std::vector<std::vector<int>> slots_of_experts() const;
    // Throws InputError unless each rank has as many slots and each expert has one at least.
    void check() const;
};

// Throws InputError where experts and redundant slots do not divide among the ranks.
int slots_per_rank(int experts, int redundant, int ranks);

// Slot i holds expert i mod experts: what serving engines start with (github sgl-project/sglang, "trivial").
ExpertPlacement linear_placement(int experts, int redundant, int ranks);
// The same slots in a random order.
ExpertPlacement random_placement(int experts, int redundant, int ranks, std::uint64_t seed);

// [ranks], tokens: `loads` are the experts'.
std::vector<double> rank_loads(const ExpertPlacement& placement, std::span<const std::int64_t> loads);
// The largest of them over the mean: how much longer the slowest rank computes than it had to.
double straggler_ratio(const ExpertPlacement& placement, std::span<const std::int64_t> loads);

}  // namespace strata
