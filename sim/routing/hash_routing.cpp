#include "sim/routing/hash_routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <queue>

#include "hwmodels/input_error.hpp"
#include "sim/routing/folded_loads.hpp"

namespace strata {

namespace {

enum HashPurpose : std::int64_t { for_table = 1, for_ids, for_hashed_loads };

// [vocabulary], the sum is one; ids are in the order of frequency, as a tokenizer built by merges nearly has them.
std::vector<double> frequencies(const HashRoutingSpec& spec) {
    spec.check();
    std::vector<double> frequency;
    for (int id = 0; id < spec.vocabulary; ++id) frequency.push_back(std::pow(id + 1, -spec.token_exponent));
    const double sum = std::accumulate(frequency.begin(), frequency.end(), 0.0);
    for (double& share : frequency) share /= sum;
    return frequency;
}

// For each id in turn, the `top_k` experts with the least load; equal ones in a random order.
class LeastLoaded {
public:
    LeastLoaded(const HashRoutingSpec& spec, int layer) : top_k_(spec.top_k) {
        const std::vector<int> order = SeededRandom(spec.seed, {for_table, layer}).permutation(spec.experts);
        for (int i = 0; i < spec.experts; ++i) heap_.push({0, i, order[std::size_t(i)]});
    }

    std::vector<int> take(double load) {
        std::vector<Bin> taken;
        for (int i = 0; i < top_k_; ++i) {
            taken.push_back(heap_.top());
            heap_.pop();
        }
        std::vector<int> experts;
        for (Bin bin : taken) {
            experts.push_back(bin.expert);
            bin.load += load;
            heap_.push(bin);
        }
        return experts;
    }

private:
    struct Bin {
        double load;
        int place, expert;
        auto operator<=>(const Bin&) const = default;
    };
    int top_k_;
    std::priority_queue<Bin, std::vector<Bin>, std::greater<>> heap_;
};

std::vector<int> hashed(const HashRoutingSpec& spec, int layer, int id) {
    SeededRandom random(spec.seed, {for_table, layer, id});
    std::vector<int> experts;
    while (int(experts.size()) < spec.top_k) {
        const int expert = int(random.below(spec.experts));
        if (std::ranges::find(experts, expert) == experts.end()) experts.push_back(expert);
    }
    return experts;
}

}  // namespace

void HashRoutingSpec::check() const {
    const auto at_least = [](const char* field, double found, int least) {
        if (found < least)
            throw InputError(fmt::format("routing.{}", field), fmt::format("at least {}", least),
                             fmt::format("{}", found));
    };
    at_least("experts", experts, 1);
    at_least("top_k", top_k, 1);
    at_least("layers", layers, 1);
    at_least("vocabulary", vocabulary, 1);
    at_least("tokens", double(tokens), 1);
    if (top_k > experts)
        throw InputError("routing.top_k", fmt::format("at most {} (the experts)", experts), fmt::format("{}", top_k));
    if (!(token_exponent >= 0 && token_exponent <= 10))
        throw InputError("routing.token_exponent", "0 to 10", fmt::format("{}", token_exponent));
}

HashRouting::HashRouting(const HashRoutingSpec& spec) : spec_(spec), ids_(frequencies(spec)) {
    const std::vector<double> frequency = frequencies(spec);
    for (int layer = 0; layer < spec.layers; ++layer) fill_table(layer, frequency);
}

void HashRouting::fill_table(int layer, const std::vector<double>& frequency) {
    std::vector<double> inclusion(std::size_t(spec_.experts));
    LeastLoaded least(spec_, layer);
    for (int id = 0; id < spec_.vocabulary; ++id) {
        const double share = frequency[std::size_t(id)];
        for (const int expert : spec_.table == HashTable::random ? hashed(spec_, layer, id) : least.take(share)) {
            expert_of_.push_back(expert);
            inclusion[std::size_t(expert)] += share;
        }
    }
    for (double& chance : inclusion) chance = std::min(chance, 1.0);  // sums of shares may round above
    inclusion_.push_back(inclusion);
}

std::vector<std::int64_t> HashRouting::loads(int layer, std::int64_t step) {
    SeededRandom random(spec_.seed, {for_hashed_loads, layer, step});
    return folded_loads(inclusion(layer), spec_.top_k, spec_.tokens, random);
}

int HashRouting::token_id(std::int64_t step, std::int64_t token) const {
    SeededRandom random(spec_.seed, {for_ids, step, token});
    return ids_.draw(random);
}

std::vector<int> HashRouting::experts_of_id(int layer, int id) const {
    if (layer < 0 || layer >= spec_.layers || id < 0 || id >= spec_.vocabulary)
        throw std::logic_error("HashRouting: no such layer or token id");
    const long first = (long(layer) * spec_.vocabulary + id) * spec_.top_k;
    return {expert_of_.begin() + first, expert_of_.begin() + first + spec_.top_k};
}

std::vector<int> HashRouting::experts_of(int layer, std::int64_t step, std::int64_t token) {
    return experts_of_id(layer, token_id(step, token));
}

LayeredRouting::LayeredRouting(std::unique_ptr<RoutingSource> first, std::unique_ptr<RoutingSource> others)
    : first_(std::move(first)), others_(std::move(others)) {
    if (first_->experts() != others_->experts())
        throw InputError("routing.experts", fmt::format("{} as in the first layers", first_->experts()),
                         fmt::format("{}", others_->experts()));
}

void LayeredRouting::set_tokens(std::int64_t tokens) {
    first_->set_tokens(tokens);
    others_->set_tokens(tokens);
}

std::vector<std::int64_t> LayeredRouting::loads(int layer, std::int64_t step) {
    return layer < first_->layers() ? first_->loads(layer, step) : others_->loads(layer - first_->layers(), step);
}

std::vector<int> LayeredRouting::experts_of(int layer, std::int64_t step, std::int64_t token) {
    return layer < first_->layers() ? first_->experts_of(layer, step, token)
                                    : others_->experts_of(layer - first_->layers(), step, token);
}

}  // namespace strata
