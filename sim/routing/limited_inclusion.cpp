#include "sim/routing/limited_inclusion.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace strata {

namespace {

constexpr double kAlways = -std::numeric_limits<double>::infinity();

// One drawn token: affinity + bias of all experts, and of each group its best ones.
struct Token {
    std::vector<double> choices;
    std::vector<std::vector<int>> best;  // [group]: top_k + 1 experts at most, or what the group's value takes
    std::vector<double> values;          // [group]
};

Token drawn(const RouterRule& rule, std::span<const double> weights, std::span<const double> bias,
            SeededRandom& random) {
    Token token;
    for (std::size_t e = 0; e < weights.size(); ++e)
        token.choices.push_back(affinity(rule.score, weights[e] / random.exponential()) + (bias.empty() ? 0 : bias[e]));
    const int size = rule.group_size(), listed = std::max(rule.top_k, rule.limit.summed) + 1;
    for (int group = 0; group < rule.limit.groups; ++group) {
        const int first = group * size;
        token.best.push_back(largest(std::span(token.choices).subspan(std::size_t(first), std::size_t(size)), listed));
        for (int& expert : token.best.back()) expert += first;
        double value = 0;
        for (int i = 0; i < rule.limit.summed; ++i)
            value += token.choices[std::size_t(token.best.back()[std::size_t(i)])];
        token.values.push_back(value);
    }
    return token;
}

// What an expert of `group` competes with: which value its group must exceed, and the best of the groups that are kept
// beside its own.
struct Rivals {
    double value = 0;
    std::vector<double> best{};  // descending, top_k at most
};

Rivals rivals_of(const RouterRule& rule, const Token& token, int group) {
    std::vector<double> values = token.values;
    values[std::size_t(group)] = kAlways;
    const std::vector<int> kept = largest(values, rule.limit.kept);
    Rivals rivals{.value = values[std::size_t(kept.back())]};
    for (int i = 0; i + 1 < rule.limit.kept; ++i)
        for (const int expert : token.best[std::size_t(kept[std::size_t(i)])])
            rivals.best.push_back(token.choices[std::size_t(expert)]);
    std::ranges::sort(rivals.best, std::greater<>());
    if (int(rivals.best.size()) > rule.top_k) rivals.best.resize(std::size_t(rule.top_k));
    return rivals;
}

// What affinity + bias of an expert must exceed, where `others` are the best of its group without it, descending.
double threshold(const RouterRule& rule, const Rivals& rivals, const std::vector<double>& others) {
    // The group's value is that of its summed - 1 best others, and of the next or the expert, whichever is larger.
    double before = 0;
    for (int i = 0; i + 1 < rule.limit.summed; ++i) before += others[std::size_t(i)];
    const bool kept_anyway =
        int(others.size()) >= rule.limit.summed && before + others[std::size_t(rule.limit.summed - 1)] > rivals.value;
    const double to_keep_the_group = kept_anyway ? kAlways : rivals.value - before;
    // The top_k-th of all others: the lists are merged.
    std::size_t theirs = 0, ours = 0;
    double last = kAlways;
    for (int i = 0; i < rule.top_k; ++i) {
        if (theirs < rivals.best.size() && (ours >= others.size() || rivals.best[theirs] >= others[ours]))
            last = rivals.best[theirs++];
        else if (ours < others.size())
            last = others[ours++];
        else
            return to_keep_the_group;  // fewer than top_k others
    }
    return std::max(to_keep_the_group, last);
}

// Adds each expert's chance to be chosen, given the others of the token.
void add_chances(const RouterRule& rule, const Token& token, std::span<const double> weights,
                 std::span<const double> bias, std::vector<double>& sum) {
    const auto chance = [&](std::size_t e, double level) {
        return 1 - std::exp(-weights[e] / odds_of(rule.score, level - (bias.empty() ? 0 : bias[e])));
    };
    const auto size = std::size_t(rule.group_size());
    for (int group = 0; group < rule.limit.groups; ++group) {
        const Rivals rivals = rivals_of(rule, token, group);
        const std::vector<int>& listed = token.best[std::size_t(group)];
        std::vector<double> best;
        for (const int expert : listed) best.push_back(token.choices[std::size_t(expert)]);
        const double of_unlisted = threshold(rule, rivals, best);
        const std::size_t first = std::size_t(group) * size;
        for (std::size_t e = first; e < first + size; ++e) {
            const auto at = std::size_t(std::ranges::find(listed, int(e)) - listed.begin());
            if (at == listed.size()) {
                sum[e] += chance(e, of_unlisted);
                continue;
            }
            std::vector<double> others = best;
            others.erase(others.begin() + long(at));
            sum[e] += chance(e, threshold(rule, rivals, others));
        }
    }
}

}  // namespace

std::vector<double> limited_inclusion(const RouterRule& rule, std::span<const double> weights,
                                      std::span<const double> bias, int tokens, SeededRandom& random) {
    std::vector<double> included(weights.size(), 0.0);
    for (int token = 0; token < tokens; ++token)
        add_chances(rule, drawn(rule, weights, bias, random), weights, bias, included);
    const double scale = rule.top_k / std::accumulate(included.begin(), included.end(), 0.0);
    for (double& chance : included) chance = std::min(1.0, chance * scale);
    return included;
}

}  // namespace strata
