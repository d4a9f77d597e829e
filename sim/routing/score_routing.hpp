// Routing by scores: an expert's logit is the log of its popularity plus Gumbel noise, its affinity the model's score
// of that, and the router's rule chooses. So biases and group limits act as they do in the model.
#pragma once

#include <map>

#include "sim/routing/popularity.hpp"
#include "sim/routing/router_rule.hpp"
#include "sim/routing/routing_source.hpp"

namespace strata {

// Tokens of a topic prefer a block of experts: what makes experts chosen together. A token's topic is drawn evenly; the
// weights of the topic's experts (as many for each, dealt out by the seed) are multiplied by e^boost.
struct Topics {
    int count = 1;
    double boost = 0;
    auto operator<=>(const Topics&) const = default;
};

struct ScoreRoutingSpec {
    RouterRule router{};
    int layers = 1;
    std::int64_t tokens = 0;  // of one step
    Popularity popularity{};
    Topics topics{};
    std::uint64_t seed = 0;
    // Under a group limit inclusion has no closed form: so many tokens are drawn to find it, once for each popularity.
    // 1024 leave it uncertain by about 1 % (256 experts, 4 of 8 groups).
    int pilot_tokens = 1024;

    // Throws InputError that names the field.
    void check() const;
};

class ScoreRouting : public RoutingSource {
public:
    explicit ScoreRouting(const ScoreRoutingSpec& spec);

    const ScoreRoutingSpec& spec() const { return spec_; }
    int layers() const override { return spec_.layers; }
    int experts() const override { return spec_.router.experts; }
    void set_tokens(std::int64_t tokens) override { spec_.tokens = tokens; }
    std::vector<std::int64_t> loads(int layer, std::int64_t step) override;
    std::vector<int> experts_of(int layer, std::int64_t step, std::int64_t token) override;

    // [experts]: the chance that a token chooses each, over all topics; the sum is top_k.
    std::vector<double> inclusion(int layer, std::int64_t step);
    // What balancing adds to the affinities of a layer for the choice; [experts], or empty for none.
    const std::vector<double>& bias(int layer) const { return state_.at(std::size_t(layer)).bias; }
    void set_bias(int layer, std::vector<double> bias);
    int topic_of(int layer, int expert) const { return state_.at(std::size_t(layer)).topic_of[std::size_t(expert)]; }

private:
    struct LayerState {
        PopularityWalk walk;
        std::vector<int> topic_of;  // of an expert
        std::vector<double> bias{};
        std::int64_t weights_step = -1;                                        // what the next are of
        std::vector<std::vector<double>> weights{};                            // of each topic
        std::map<std::int64_t, std::vector<std::vector<double>>> inclusion{};  // of each topic, by step
    };
    // A law's weights, most popular first, and, once asked for, how likely experts of these weights are chosen.
    struct Law {
        std::vector<double> weights, inclusion{};
    };
    Law& law_of(int layer) { return laws_.size() == 1 ? laws_[0] : laws_[std::size_t(layer)]; }
    LayerState& at(int layer, std::int64_t step);
    const std::vector<std::vector<double>>& inclusion_of(int layer, std::int64_t step);
    std::vector<double> inclusion_by_law(int layer, std::int64_t step);
    std::vector<double> pilot(const LayerState& state, const std::vector<double>& weights, int layer, int topic) const;
    std::vector<int> choose(const LayerState& state, const std::vector<double>& weights,
                            class SeededRandom& random) const;

    ScoreRoutingSpec spec_;
    std::vector<Law> laws_;  // one for each layer, or one for all
    std::vector<LayerState> state_;
};

}  // namespace strata
