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
    int nodes_per_token = 0;             // to which the router limits a token's experts; 0: it does not
};

Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                      const ProgramInputs& more = {});

// Images that one rank encodes in the step: those of the prompt's pages that are not found in a cache.
std::vector<PageImages> images_of(const Scenario& scenario);

// Tokens of one rank in a micro-batch of the step.
double tokens_of_a_rank(const Scenario& scenario);

// What RankShares is asked for where each rank has `tokens` in a micro-batch.
RankSharesSpec shares_spec(const Scenario& scenario, double tokens, int ranks_of_a_node);

}  // namespace strata
