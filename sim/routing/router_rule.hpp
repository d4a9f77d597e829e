// How a router chooses the experts of a token from their affinities (DeepSeek-V3, arXiv 2412.19437, section 2.1.2):
// the top_k largest affinity + bias among the experts of the groups kept. A group is kept by the sum of its largest
// affinity + bias. Groups are the model's own (8 of which 4 are kept in V3) or the nodes of a deployment.
#pragma once

#include <span>
#include <vector>

#include "kernels/moe/score.hpp"

namespace strata {

struct GroupLimit {
    int groups = 1;  // neighbouring experts, as many in each
    int kept = 1;
    int summed = 2;  // how many affinities of a group make its value
    bool limits() const { return kept < groups; }
};

struct RouterRule {
    int experts = 0, top_k = 0;
    Score score = Score::sigmoid;  // or sqrt_softplus; softmax is refused: its affinities depend on each other
    GroupLimit limit{};

    int group_size() const { return experts / limit.groups; }
    // Throws InputError that names the field.
    void check() const;
};

// V3's node-limited routing: at most `kept` nodes, by the sum of the largest top_k / kept affinities of each.
GroupLimit node_limit(int nodes, int kept, int top_k);

// The affinity of an expert whose logit's exponential is `odds`.
double affinity(Score score, double odds);
// The odds at which an affinity is reached: 0 below the range of the score, infinite above it.
double odds_of(Score score, double affinity);

// The indices of the `count` largest values (or of all, if fewer), largest first; of equal ones the lowest.
std::vector<int> largest(std::span<const double> values, int count);

// The chosen experts, best first; of equal ones the lowest. `bias` may be empty.
std::vector<int> chosen_experts(const RouterRule& rule, std::span<const double> affinities,
                                std::span<const double> bias);

}  // namespace strata
