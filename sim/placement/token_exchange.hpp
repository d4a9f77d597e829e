// What a placement costs a step: how often tokens cross nodes, how long the links take, and how long the busiest rank
// computes. Tokens are sent as DeepEP's normal kernels do (github deepseek-ai/DeepEP): once to each node that they
// need, to the rank with the sender's place in its node, which hands them on to the ranks inside; what experts return
// goes the same way back, summed on each node.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/placement/co_activation.hpp"
#include "sim/placement/expert_placement.hpp"

namespace strata {

struct TokenCost {
    Bytes dispatch{}, combine{};  // of one copy of a token: there, and back
    Seconds compute{};            // of one token in one expert
};

// Dispatch in FP8 with a 4-byte scale for each 128 values, combine in BF16 (DeepSeek-V3, arXiv 2412.19437, 3.3).
TokenCost token_cost(double hidden, Seconds compute);

// Which of an expert's slots a token takes.
enum class SlotChoice {
    even,    // any, evenly: what EPLB balances for
    nearest  // evenly among those of its own node, if it has any
};

struct ExchangeScore {
    double nodes_of_a_token = 0;  // that its experts are on
    double crossings = 0;         // of a token: nodes it is sent to beside its own
    Bytes cross_node{};           // of a token, there and back
    double busiest_rank = 0;      // tokens
    double mean_rank = 0;
    Seconds straggler{};  // the busiest rank's computing
    Seconds outside{};    // the busiest rank's links between nodes, whichever direction is busier
    Seconds inside{};     // and within its node

    double straggler_ratio() const { return busiest_rank / mean_rank; }
};

// Token t of the sample stands on rank t mod ranks. Times are of the whole sample.
ExchangeScore score(const ExpertPlacement& placement, const TokenSample& sample, const TwoLevelFabric& fabric,
                    const TokenCost& cost, SlotChoice choice = SlotChoice::even);

}  // namespace strata
