// The expert-parallel load balancer as published (github deepseek-ai/EPLB, eplb.py), one layer at a time: copies of the
// busiest experts, then packing by the greedy rule "next heaviest to the lightest pack that has room".
//   Hierarchical, where the groups divide among the nodes: groups to nodes, copies inside each node, slots to ranks;
//   the experts of a group stay on one node, for routing that is limited to groups. Global otherwise: the same with one
//   group and one node.
// In single precision, as the original: with it ties fall the same way.
#pragma once

#include <span>
#include <vector>

#include "sim/placement/expert_placement.hpp"

namespace strata {

struct EplbSpec {
    int redundant = 0;  // slots beyond one for each expert
    int groups = 1, nodes = 1, ranks = 1;
};

// `weights` are the loads of the experts, measured or expected. Throws InputError where something does not divide.
ExpertPlacement eplb_placement(std::span<const double> weights, const EplbSpec& spec);

// The pack of each item: `packs` of them with as many items each.
std::vector<int> balanced_packing(std::span<const float> weights, int packs);

// `count` slots: each expert once, in order, then again and again the one with the most load for each of its slots.
std::vector<int> replicated_experts(std::span<const float> weights, int count);

}  // namespace strata
