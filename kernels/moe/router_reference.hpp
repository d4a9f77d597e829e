// The definition of routing, in double: score of each logit; the experts with the largest score + bias are chosen, of
// equal ones the lowest; weight = score / max(sum of the chosen scores, 1e-20) * scale. With groups, a group's value is
// the sum of its two largest score + bias, and experts outside the best groups cannot be chosen.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/moe/score.hpp"

namespace strata::reference {

inline std::vector<double> scores_of(const std::vector<double>& logits, Score score) {
    std::vector<double> scores;
    double sum = 0;
    const double largest = *std::ranges::max_element(logits);
    for (const double x : logits) sum += std::exp(x - largest);
    for (const double x : logits)
        scores.push_back(score == Score::sigmoid ? 1 / (1 + std::exp(-x))
                         : score == Score::sqrt_softplus
                             ? std::sqrt(std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))))
                             : std::exp(x - largest) / sum);
    return scores;
}

struct Route {
    std::vector<int> experts{};
    std::vector<double> weights{};
    double gap = 0;  // the smallest difference that decided anything: below 1e-6 float may decide otherwise
};

inline std::vector<double> weights_of(const std::vector<double>& scores, const std::vector<int>& experts,
                                      double scale) {
    double sum = 0;
    for (const int expert : experts) sum += scores[std::size_t(expert)];
    std::vector<double> weights;
    for (const int expert : experts) weights.push_back(scores[std::size_t(expert)] / std::max(sum, 1e-20) * scale);
    return weights;
}

// The indices of the `count` largest values, largest first; `gap` becomes the smallest step between neighbours, the
// first that was left out included.
inline std::vector<int> largest_of(const std::vector<double>& values, int count, double& gap) {
    std::vector<int> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::greater<>(), [&](int i) { return values[std::size_t(i)]; });
    for (std::size_t i = 0; i < std::size_t(count) && i + 1 < order.size(); ++i)
        gap = std::min(gap, values[std::size_t(order[i])] - values[std::size_t(order[i + 1])]);
    order.resize(std::size_t(count));
    return order;
}

inline Route route(const std::vector<double>& logits, const std::vector<double>& bias, Score score, int k, int groups,
                   int kept_groups, double scale) {
    const std::vector<double> scores = scores_of(logits, score);
    std::vector<double> choices = scores;
    for (std::size_t i = 0; i < bias.size(); ++i) choices[i] += bias[i];
    Route route{.gap = std::numeric_limits<double>::infinity()};
    if (groups > 1) {
        const std::size_t size = choices.size() / std::size_t(groups);
        std::vector<double> values;
        for (std::size_t group = 0; group < std::size_t(groups); ++group) {
            std::vector<double> members(choices.begin() + long(group * size),
                                        choices.begin() + long((group + 1) * size));
            std::ranges::sort(members, std::greater<>());
            values.push_back(members[0] + members[1]);
        }
        std::vector<bool> kept(std::size_t(groups), false);
        for (const int group : largest_of(values, kept_groups, route.gap)) kept[std::size_t(group)] = true;
        for (std::size_t i = 0; i < choices.size(); ++i)
            if (!kept[i / size]) choices[i] = -std::numeric_limits<double>::infinity();
    }
    route.experts = largest_of(choices, k, route.gap);
    route.weights = weights_of(scores, route.experts, scale);
    return route;
}

// Which copy of a duplicated expert a token goes to: neighbouring tokens to different ones, and ranks shifted.
inline int replica_of(long rank, long token, int copies) { return int((rank + token * 23333) % copies); }

}  // namespace strata::reference
