// Placing experts anew while a model serves: what moving their weights takes, and when it pays.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/placement/eplb.hpp"
#include "sim/placement/expert_placement.hpp"
#include "sim/routing/routing_source.hpp"

namespace strata {

struct Migration {
    int slots = 0;    // that hold an expert which their rank did not have
    Bytes moved{};    // weights of these
    Bytes outside{};  // of them, from another node
    Seconds time{};   // until the busiest direction of a link is done; nothing else is on the links
};

// Each missing expert comes from a rank that has it: of the same node if one has, and of these the one that has sent
// the least so far. `of_expert` is the weights of one expert of the layer.
Migration migration(const ExpertPlacement& from, const ExpertPlacement& to, Bytes of_expert,
                    const TwoLevelFabric& fabric);

// The same placement with its nodes, and the ranks inside them, named so that few experts move (greedy: the pair that
// shares most experts first). Balance and crossings are the same: all nodes are alike, and all ranks of one.
ExpertPlacement aligned(const ExpertPlacement& to, const ExpertPlacement& from, const TwoLevelFabric& fabric);

// Steps after which moving has paid, if a step saves anything.
std::optional<double> break_even_steps(Seconds moving, Seconds saved_a_step);

struct ReplacementPolicy {
    std::int64_t period = 0;  // steps from one placement to the next; 0: the first one stays
    EplbSpec eplb{};          // placed for the mean loads of the steps since the last placement
    TwoLevelFabric fabric{};
    Bytes of_expert{};
    Seconds compute{};  // of one token in one expert
};

struct ReplacementOutcome {
    Seconds computing{};  // of the busiest rank of each step, summed
    Seconds balanced{};   // what that would be if all ranks had as many tokens
    Seconds moving{};
    Bytes moved{};
    int placements = 0;  // that moved something
    Seconds total() const { return computing + moving; }
};

// A layer over steps first to first + steps - 1. It starts placed for the loads of the step before them. Steps wait
// while weights move.
ReplacementOutcome replay(RoutingSource& source, int layer, std::int64_t first, std::int64_t steps,
                          const ReplacementPolicy& policy);

}  // namespace strata
