// Classes of flows and links that cannot be told apart: the coarsest partition in which flows of a class carry the same
// bytes over as many links of each class with the same shares, and links of a class have the same capacity and carry as
// many flows of each class. Found by colour refinement (1-dimensional Weisfeiler-Leman). Max-min fair rates are unique,
// so they are the same within a class, and a class ends as a whole: what is left stays such a partition.
#pragma once

#include "hwmodels/fabric/flow_simulation.hpp"

namespace strata {

struct FlowClasses {
    std::vector<int> of_flow, of_link;  // its class
    int flows = 0, links = 0;           // how many classes
};

FlowClasses flow_classes(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows);

// One flow and one link for each class. A share of the folded flow is what the whole class of flows puts on one link of
// the class when each of its flows has rate 1.
struct FoldedFlows {
    std::vector<Bandwidth> capacity;
    std::vector<Flow> flows;
};
FoldedFlows fold(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows, const FlowClasses& classes);

}  // namespace strata
