// How evenly the experts of each layer load the ranks that hold them: in linear order, and as the scenario places them.
// No Qt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/gui/models/answer.hpp"
#include "sim/placement/rank_shares.hpp"

namespace strata {

struct PlacedExpert {
    int expert = 0;
    double load = 0;  // (token, expert) pairs that this copy computes, over the mean of ranks
};

struct ExpertLayer {
    int layer = 0;
    std::vector<double> before{}, after{};              // [ranks], pairs over the mean of ranks
    std::vector<std::vector<PlacedExpert>> of_ranks{};  // as placed
};

struct ExpertMap {
    int ranks = 0;
    std::string order{};  // "linear", "eplb", ... of the scenario
    std::vector<ExpertLayer> layers{};
    double before_max_over_mean = 1, after_max_over_mean = 1;  // mean over layers
};

// Throws InputError where the point has no routing that says where tokens go.
ExpertMap expert_map(Answerer& answerer, const AnswerRequest& request);

// What to exchange so that `expert` of `from` is on `to`: with the expert there that has the least load and is not on
// `from` already. None where there is no such.
std::optional<ExpertSwap> swap_for(const ExpertLayer& layer, int expert, int from, int to);

// As a scenario has them under placement.experts.swaps.
std::string written(const std::vector<ExpertSwap>& swaps);

}  // namespace strata
