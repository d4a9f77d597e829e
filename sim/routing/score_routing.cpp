#include "sim/routing/score_routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "hwmodels/input_error.hpp"
#include "sim/routing/folded_loads.hpp"
#include "sim/routing/inclusion.hpp"
#include "sim/routing/limited_inclusion.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {

namespace {

// Of each layer: a serving simulation goes to and fro between sixteen.
constexpr std::size_t kKeptSteps = 32;

// What a draw is for, so that no two purposes share numbers.
enum Purpose : std::int64_t { for_walk = 1, for_topics, for_loads, for_tokens, for_pilot };

std::vector<int> dealt_topics(const ScoreRoutingSpec& spec, int layer) {
    std::vector<int> topic_of(std::size_t(spec.router.experts));
    SeededRandom random(spec.seed, {for_topics, layer});
    const std::vector<int> order = random.permutation(spec.router.experts);
    for (std::size_t i = 0; i < order.size(); ++i)
        topic_of[std::size_t(order[i])] = int(i * std::size_t(spec.topics.count) / order.size());
    return topic_of;
}

}  // namespace

void ScoreRoutingSpec::check() const {
    router.check();
    if (layers < 1) throw InputError("routing.layers", "at least one", fmt::format("{}", layers));
    if (tokens < 1) throw InputError("routing.tokens", "at least one", fmt::format("{}", tokens));
    if (pilot_tokens < 1) throw InputError("routing.pilot_tokens", "at least one", fmt::format("{}", pilot_tokens));
    if (topics.count < 1 || router.experts % topics.count != 0)
        throw InputError("routing.topics.count", fmt::format("a divisor of the {} experts", router.experts),
                         fmt::format("{}", topics.count));
    if (!std::isfinite(topics.boost))
        throw InputError("routing.topics.boost", "a finite number", fmt::format("{}", topics.boost));
    popularity.check(layers);
}

ScoreRouting::ScoreRouting(const ScoreRoutingSpec& spec) : spec_(spec) {
    spec.check();
    const std::uint64_t walk_seed = SeededRandom(spec.seed, {for_walk}).bits();
    for (int layer = 0; layer < spec.layers; ++layer)
        state_.push_back({.walk = PopularityWalk(spec.router.experts, spec.popularity.half_life, walk_seed, layer),
                          .topic_of = dealt_topics(spec, layer)});
    for (int layer = 0; layer < std::max(1, int(spec.popularity.exponents.size())); ++layer) {
        laws_.push_back({law_weights(spec.popularity, layer, spec.router.experts)});
        normalise_weights(laws_.back().weights, spec.router.top_k);
    }
}

void ScoreRouting::set_bias(int layer, std::vector<double> bias) {
    if (!bias.empty() && int(bias.size()) != experts()) throw std::logic_error("set_bias: one value for each expert");
    LayerState& state = state_.at(std::size_t(layer));
    state.bias = std::move(bias);
    state.inclusion.clear();
}

// The weights of the layer at that step: worked out anew only if they can have changed.
ScoreRouting::LayerState& ScoreRouting::at(int layer, std::int64_t step) {
    if (step < 0) throw std::logic_error("ScoreRouting: steps count from 0");
    LayerState& state = state_.at(std::size_t(layer));
    if (state.weights_step == step || (state.weights_step >= 0 && !spec_.popularity.half_life)) return state;
    const std::vector<int>& order = state.walk.order_at(step);
    const std::vector<double>& law = law_of(layer).weights;
    state.weights_step = step;
    state.weights.assign(std::size_t(spec_.topics.count), std::vector<double>(order.size()));
    for (int topic = 0; topic < spec_.topics.count; ++topic) {
        std::vector<double>& weights = state.weights[std::size_t(topic)];
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto expert = std::size_t(order[i]);
            weights[expert] = law[i] * (state.topic_of[expert] == topic ? std::exp(spec_.topics.boost) : 1.0);
        }
        if (spec_.topics.boost != 0) normalise_weights(weights, spec_.router.top_k);  // the law's are already
    }
    return state;
}

const std::vector<std::vector<double>>& ScoreRouting::inclusion_of(int layer, std::int64_t step) {
    LayerState& state = at(layer, step);
    const auto known = state.inclusion.find(state.weights_step);
    if (known != state.inclusion.end()) return known->second;
    const bool alike = spec_.topics.count == 1 && state.bias.empty();
    const bool by_law = alike && !spec_.router.limit.limits();
    std::vector<std::vector<double>> inclusion;
    if (alike && spec_.popularity.law == PopularityLaw::balanced)  // by symmetry, whatever the router's groups
        inclusion = {std::vector<double>(std::size_t(experts()), double(spec_.router.top_k) / experts())};
    for (int topic = int(inclusion.size()); topic < spec_.topics.count; ++topic) {
        const std::vector<double>& weights = state.weights[std::size_t(topic)];
        inclusion.push_back(spec_.router.limit.limits() ? pilot(state, weights, layer, topic)
                            : by_law                    ? inclusion_by_law(layer, step)
                                                        : inclusion_probabilities(spec_.router, weights, state.bias));
    }
    if (state.inclusion.size() == kKeptSteps) state.inclusion.clear();
    return state.inclusion[state.weights_step] = std::move(inclusion);
}

// Where nothing tells experts apart but their place in the order of popularity, a drift only permutes.
std::vector<double> ScoreRouting::inclusion_by_law(int layer, std::int64_t step) {
    const std::vector<int>& order = state_[std::size_t(layer)].walk.order_at(step);
    Law& law = law_of(layer);
    if (law.inclusion.empty()) law.inclusion = inclusion_probabilities(spec_.router, law.weights, {});
    std::vector<double> inclusion(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) inclusion[std::size_t(order[i])] = law.inclusion[i];
    return inclusion;
}

// The same noise at every step, so that what changes from step to step is popularity alone.
std::vector<double> ScoreRouting::pilot(const LayerState& state, const std::vector<double>& weights, int layer,
                                        int topic) const {
    SeededRandom random(spec_.seed, {for_pilot, layer, topic});
    return limited_inclusion(spec_.router, weights, state.bias, spec_.pilot_tokens, random);
}

std::vector<int> ScoreRouting::choose(const LayerState& state, const std::vector<double>& weights,
                                      SeededRandom& random) const {
    std::vector<double> affinities;
    affinities.reserve(weights.size());
    // exp(log w + Gumbel noise) = w / exponential noise. Without biases and groups the order of the odds is enough.
    const bool plain = state.bias.empty() && !spec_.router.limit.limits();
    for (const double weight : weights) {
        const double odds = weight / random.exponential();
        affinities.push_back(plain ? odds : affinity(spec_.router.score, odds));
    }
    return chosen_experts(spec_.router, affinities, state.bias);
}

std::vector<double> ScoreRouting::inclusion(int layer, std::int64_t step) {
    std::vector<double> mean(static_cast<std::size_t>(experts()));
    for (const auto& of_topic : inclusion_of(layer, step))
        for (std::size_t e = 0; e < mean.size(); ++e) mean[e] += of_topic[e] / spec_.topics.count;
    return mean;
}

std::vector<std::int64_t> ScoreRouting::loads(int layer, std::int64_t step) {
    const auto& inclusion = inclusion_of(layer, step);
    SeededRandom random(spec_.seed, {for_loads, layer, step});
    if (spec_.topics.count == 1) return folded_loads(inclusion[0], spec_.router.top_k, spec_.tokens, random);
    const std::vector<double> even(std::size_t(spec_.topics.count), 1.0);
    const std::vector<std::int64_t> tokens = multinomial(spec_.tokens, even, random);
    std::vector<std::int64_t> sum(static_cast<std::size_t>(experts()));
    for (std::size_t topic = 0; topic < tokens.size(); ++topic) {
        const auto of_topic = folded_loads(inclusion[topic], spec_.router.top_k, tokens[topic], random);
        for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += of_topic[e];
    }
    return sum;
}

std::vector<int> ScoreRouting::experts_of(int layer, std::int64_t step, std::int64_t token) {
    const LayerState& state = at(layer, step);
    SeededRandom random(spec_.seed, {for_tokens, layer, step, token});
    const auto topic = std::size_t(random.below(spec_.topics.count));
    return choose(state, state.weights[topic], random);
}

}  // namespace strata
