// What a placement puts where: bytes of a rank and of a node by tier, and the check that they fit.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace strata {

struct MemoryUse {
    Bytes weights, experts, kv;  // a rank's share, wherever it is kept
    Bytes engram;                // the tables, whole
    Bytes hbm_of_a_rank;
    Bytes host_of_a_node;
    Bytes nvme_of_a_node;
};

MemoryUse memory_use(const Scenario& scenario, int ranks_of_a_node);

// Throws InputError that names the tier, what was asked of it, and what it has.
void check_fits(const Scenario& scenario);

}  // namespace strata
