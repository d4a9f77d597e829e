// How evenly the experts and ranks of one layer are loaded over time: a router without balancing, the same with biases,
// and a placement that is made anew from time to time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/placement/replacement.hpp"
#include "sim/routing/bias_balancing.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

struct BalanceOptions {
    std::optional<int> layer{};  // none: the first that has a router
    int steps = 500;
    double bias_rate = kBiasRate;
    std::vector<std::int64_t> periods{0};  // of placing anew, in steps; 0: never
};

// Largest load over the mean, at one step.
struct BalanceAt {
    int step = 0;
    double experts = 0, biased_experts = 0;
    double linear_ranks = 0, placed_ranks = 0, biased_ranks = 0;  // EPLB from the first step; linear with biases
};

struct BalanceOverTime {
    int layer = 0;
    std::vector<BalanceAt> steps{};
    Seconds token{};                                 // in one expert, which replacements are reckoned with
    std::vector<ReplacementOutcome> replacements{};  // one for each period
};

// Throws InputError for a scenario without a routing by a law, and for a layer that has no router.
BalanceOverTime balance_over_time(const Scenario& scenario, Inputs& inputs, const BalanceOptions& options);

}  // namespace strata
