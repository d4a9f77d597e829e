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

// A binary tree of ranks. On each of its edges go `bytes`: what a rank sends up is what its children sent and its own,
// added up; what it sends down is what it was given.
struct Tree {
    std::vector<int> ranks{};  // the root first; the parent of the r-th is the tree_parent(r, ranks.size())-th
    Bytes bytes{};
    bool up = false, down = false;  // with both, what comes down is what has come up
};

// The parent in a binary tree over 0 .. n-1 with root 0, of 0 < r < n: all odd numbers are leaves, none has more than
// two children and the root has one (Sanders, Speck and Traff 2009).
int tree_parent(int r, int n);
// Edges from the farthest leaf to the root.
int tree_depth(int n);

struct Stage {
    std::vector<StageTraffic> traffic{};
    bool in_turn = false;  // its latencies follow each other, though its bytes move at once
    // What the demands are made of; neither: they are all on their way at once.
    std::vector<Circle> circles{};
    std::vector<Tree> trees{};
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
