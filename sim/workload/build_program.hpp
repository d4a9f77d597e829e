// Model + workload + placement + platform -> the Program of one step and the Machine that runs it.
#pragma once

#include "sim/placement/rank_shares.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/workload/fabric_costs.hpp"
#include "sim/workload/platform.hpp"

namespace strata {

// What a Program takes beside its platform where the scenario says more.
struct ProgramInputs {
    const RankShares* shares = nullptr;  // of the expert group's ranks (`shares_spec`); null: tokens spread evenly
    FabricCosts* fabric = nullptr;       // null: exchanges do not ask for one
};

Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                      const ProgramInputs& more = {});

// Images that one rank encodes in the step: those of the prompt's pages that are not found in a cache.
std::vector<PageImages> images_of(const Scenario& scenario);

// What RankShares is asked for.
RankSharesSpec shares_spec(const Scenario& scenario, int ranks_of_a_node);

}  // namespace strata
