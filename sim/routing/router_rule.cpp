#include "sim/routing/router_rule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double sum_of_largest(std::span<const double> values, int count) {
    double sum = 0;
    for (const int i : largest(values, count)) sum += values[std::size_t(i)];
    return sum;
}

void keep_best_groups(const RouterRule& rule, std::vector<double>& choices) {
    const auto size = std::size_t(rule.group_size());
    std::vector<double> values;
    for (int group = 0; group < rule.limit.groups; ++group)
        values.push_back(
            sum_of_largest(std::span(choices).subspan(std::size_t(group) * size, size), rule.limit.summed));
    const std::vector<int> kept = largest(values, rule.limit.kept);
    for (int group = 0; group < rule.limit.groups; ++group)
        if (std::ranges::find(kept, group) == kept.end())
            std::fill_n(choices.begin() + long(std::size_t(group) * size), size, kNever);
}

}  // namespace

void RouterRule::check() const {
    const auto refuse = [](const std::string& field, const std::string& expected, int found) {
        throw InputError("routing." + field, expected, std::to_string(found));
    };
    if (experts < 1) refuse("experts", "at least one", experts);
    if (top_k < 1 || top_k > experts) refuse("top_k", "1 to " + std::to_string(experts) + " (the experts)", top_k);
    if (score == Score::softmax)
        throw InputError("routing.score", "sigmoid or sqrt_softplus, whose affinities are independent", "softmax");
    if (limit.groups < 1 || experts % limit.groups != 0)
        refuse("groups", "a divisor of the " + std::to_string(experts) + " experts", limit.groups);
    if (limit.kept < 1 || limit.kept > limit.groups)
        refuse("kept_groups", "1 to " + std::to_string(limit.groups) + " (the groups)", limit.kept);
    if (limit.kept * group_size() < top_k)
        refuse("kept_groups", "groups that together have top_k = " + std::to_string(top_k) + " experts", limit.kept);
    if (limit.limits() && (limit.summed < 1 || limit.summed > group_size()))
        refuse("summed", "1 to " + std::to_string(group_size()) + " (a group's experts)", limit.summed);
}

GroupLimit node_limit(int nodes, int kept, int top_k) {
    return {.groups = nodes, .kept = kept, .summed = std::max(1, top_k / std::max(1, kept))};
}

double affinity(Score score, double odds) {
    if (score == Score::sigmoid) return odds / (1 + odds);
    if (score == Score::sqrt_softplus) return std::sqrt(std::log1p(odds));
    throw std::logic_error("affinity: a softmax affinity is no function of one logit");
}

double odds_of(Score score, double affinity) {
    if (affinity <= 0) return 0;
    if (score == Score::sigmoid)
        return affinity < 1 ? affinity / (1 - affinity) : std::numeric_limits<double>::infinity();
    if (score == Score::sqrt_softplus) return std::expm1(affinity * affinity);
    throw std::logic_error("odds_of: a softmax affinity is no function of one logit");
}

// By a short sorted list: `count` is small.
std::vector<int> largest(std::span<const double> values, int count) {
    std::vector<int> best;
    best.reserve(std::size_t(count) + 1);
    for (int i = 0; i < int(values.size()); ++i) {
        const double value = values[std::size_t(i)];
        if (int(best.size()) == count && value <= values[std::size_t(best.back())]) continue;
        auto at = best.end();
        while (at != best.begin() && values[std::size_t(*(at - 1))] < value) --at;
        best.insert(at, i);
        if (int(best.size()) > count) best.pop_back();
    }
    return best;
}

std::vector<int> chosen_experts(const RouterRule& rule, std::span<const double> affinities,
                                std::span<const double> bias) {
    if (bias.empty() && !rule.limit.limits()) return largest(affinities, rule.top_k);
    std::vector<double> choices(affinities.begin(), affinities.end());
    for (std::size_t i = 0; i < bias.size(); ++i) choices[i] += bias[i];
    if (rule.limit.limits()) keep_best_groups(rule, choices);
    return largest(choices, rule.top_k);
}

}  // namespace strata
