// Cuts a graph into parts of equally many vertices with little weight between them: recursive bisection, then every
// pair of parts again, each by the exchanges of Kernighan and Lin (An efficient heuristic procedure for partitioning
// graphs, Bell System Technical Journal 49, 1970; the pairs are their section on multiple-way partitions).
#pragma once

#include <cstdint>
#include <vector>

#include "sim/placement/co_activation.hpp"

namespace strata {

struct PartitionSpec {
    int parts = 1;
    // A part is to have at most (1 + tolerance) of the mean tokens. Where that cannot be reached, what parts have above
    // it is kept small.
    double tolerance = 0.1;
    int starts = 4;  // bisections begin from so many orders of the vertices: as given, and random ones; the best stays
    std::uint64_t seed = 0;
};

// The part of each vertex. Throws InputError unless the parts divide the vertices.
std::vector<int> partition(const CoActivationGraph& graph, const PartitionSpec& spec);

// The weight of edges between parts.
double cut(const CoActivationGraph& graph, const std::vector<int>& part_of);

}  // namespace strata
