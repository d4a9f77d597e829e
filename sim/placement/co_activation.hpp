// Which experts are chosen together: the graph that placement cuts. A token that takes experts on two nodes is sent to
// both, so experts that often go together belong on one.
#pragma once

#include <boost/graph/adjacency_list.hpp>

#include <cstdint>
#include <span>
#include <vector>

#include "sim/routing/routing_source.hpp"

namespace strata {

struct ExpertLoad {
    double tokens = 0;  // of the sample
};
struct Together {
    double tokens = 0;  // that took both
};
using CoActivationGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, ExpertLoad, Together>;

// The experts of each token.
using TokenSample = std::vector<std::vector<int>>;

// The first `tokens` tokens of each of `steps` steps of a layer.
TokenSample sample_tokens(RoutingSource& source, int layer, std::int64_t first_step, int steps, int tokens);

// A vertex for each expert.
CoActivationGraph co_activation(const TokenSample& sample, int experts);

// A vertex for each slot: an expert of c slots has a c-th of its tokens in each, and slots of one expert never meet in
// a token.
CoActivationGraph among_slots(const CoActivationGraph& experts, std::span<const int> expert_of_slot);

}  // namespace strata
