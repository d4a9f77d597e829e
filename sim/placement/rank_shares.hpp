// What each rank of an expert group gets of a step, layer by layer, when tokens do not spread evenly: a routing source
// says which experts tokens take, the order of experts on ranks says whose they are.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/model/model.hpp"
#include "sim/placement/expert_placement.hpp"
#include "sim/routing/routing_dials.hpp"

namespace strata {

// Which rank holds which experts (docs/routing.md).
enum class ExpertOrder : std::uint8_t {
    linear,
    random,
    eplb,         // the experts of a group on one node, where nodes divide the groups
    eplb_global,  // anywhere
    partition
};

// Two experts of a layer change places: experts[0] is on ranks[0] before, and on ranks[1] after.
struct ExpertSwap {
    int layer = 0;
    std::array<int, 2> experts{}, ranks{};
    auto operator<=>(const ExpertSwap&) const = default;
};

struct ExpertDials {
    ExpertOrder order = ExpertOrder::linear;
    int redundant = 0;                // slots beyond one for each expert
    int learned = 16;                 // steps whose loads the order is made from: the first ones
    int age = 0;                      // steps between the last of these and the step that is run
    std::vector<ExpertSwap> swaps{};  // by hand, after the order, one after the other
    auto operator<=>(const ExpertDials&) const = default;
};

struct RankSharesSpec {
    RoutingDials routing{};
    ExpertDials experts{};
    int ranks = 1;            // that hold different experts
    int ranks_per_node = 1;   // of these
    std::int64_t tokens = 0;  // of the whole group in one micro-batch
    auto operator<=>(const RankSharesSpec&) const = default;
};

struct RankShare {
    double pairs = 0;    // (token, expert) pairs to compute
    double touched = 0;  // slots with at least one of them
    double copies = 0;   // tokens that reach the rank, each counted once: expected, as if slots were independent
};

// The largest of a number of the ranks over its mean.
double busiest_over_mean(const std::vector<RankShare>& shares, double RankShare::*number);

class RankShares {
public:
    // Throws InputError where experts do not divide among ranks, or routing does not fit the model.
    RankShares(const Model& model, const RankSharesSpec& spec);
    // The same of a source that is there already, as spec.routing describes it. Loads count for what they are of a
    // step's sum, so that a record of other than `tokens` says where these go.
    RankShares(const Model& model, const RankSharesSpec& spec, RoutingSource& source);

    int ranks() const { return spec_.ranks; }
    // Not of dense layers, nor of those that draft: no source speaks of them, and their tokens spread evenly.
    bool has(int layer) const {
        const auto index = static_cast<std::size_t>(layer);
        return index < layers_.size() && !layers_[index].empty();
    }
    // [ranks]; of a layer with routed experts.
    const std::vector<RankShare>& of_layer(int layer) const { return layers_.at(static_cast<std::size_t>(layer)); }
    // Who holds what there, and the tokens of each expert in the step that is run.
    const ExpertPlacement& placement_of_layer(int layer) const {
        return placements_.at(static_cast<std::size_t>(layer));
    }
    const std::vector<std::int64_t>& loads_of_layer(int layer) const {
        return loads_.at(static_cast<std::size_t>(layer));
    }
    double mean_pairs() const { return mean_pairs_; }
    double tokens() const { return double(spec_.tokens); }  // of the whole group

    // Of the rank with most pairs, over the mean; mean over layers.
    double load_max_over_mean() const { return load_max_over_mean_; }
    // Of a sample of tokens: distinct ranks and nodes that a token's experts are on.
    double ranks_of_a_token() const { return ranks_of_a_token_; }
    double nodes_of_a_token() const { return nodes_of_a_token_; }

private:
    ExpertPlacement placed(const Model& model, RoutingSource& source, int layer) const;
    void swap_by_hand(ExpertPlacement& placement, int layer) const;
    std::vector<RankShare> shares(const ExpertPlacement& placement, const std::vector<std::int64_t>& loads) const;

    RankSharesSpec spec_;
    double mean_pairs_ = 0, load_max_over_mean_ = 1, ranks_of_a_token_ = 0, nodes_of_a_token_ = 0;
    std::vector<std::vector<RankShare>> layers_;  // empty for dense ones, as are the next two
    std::vector<ExpertPlacement> placements_;
    std::vector<std::vector<std::int64_t>> loads_;
};

}  // namespace strata
