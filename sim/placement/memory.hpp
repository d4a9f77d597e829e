// What a placement puts where: bytes of a rank and of a node by tier, and the check that they fit.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace strata {

struct MemoryUse {
    // In the HBM of a rank, copies of what is cached there included.
    Bytes weights;      // attention, dense and shared ones, embedding and head
    Bytes experts;      // routed
    Bytes kv, index;    // entries; index keys, which each step scans
    Bytes engram;       // table rows
    Bytes activations;  // of a micro-batch in the layer that needs most, and the residuals of all
    Bytes buffers;      // of exchanges, and of what is fetched from a tier below
    Bytes host_of_a_node, cxl_of_a_node, nvme_of_a_node;
    // What these are made of.
    struct Below {
        Bytes experts, kv, engram;
        // By the names that metrics give them, those that there are.
        std::vector<std::pair<std::string, Bytes>> classes() const;
    };
    Below host, cxl, nvme;

    Bytes hbm_of_a_rank() const { return weights + experts + kv + index + engram + activations + buffers; }
    // By the names that metrics give them.
    std::vector<std::pair<std::string, Bytes>> classes() const;
};

MemoryUse memory_use(const Scenario& scenario, int ranks_of_a_node);

// Throws InputError that names the tier, what was asked of it, and what it has.
void check_fits(const Scenario& scenario);

}  // namespace strata
