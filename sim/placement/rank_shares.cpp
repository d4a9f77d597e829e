#include "sim/placement/rank_shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "hwmodels/input_error.hpp"
#include "sim/placement/eplb.hpp"
#include "sim/placement/partitioned_placement.hpp"

namespace strata {

namespace {

// A layer's tokens that a partition learns from: enough that each of some hundred experts is met some fifty times.
constexpr int kSampledTokens = 2048;
// For ranks and nodes of a token, which need no more than a mean: 64 tokens in at most 8 layers are 2 % from it.
constexpr int kJudgedTokens = 64, kJudgedLayers = 8;

// An expert's tokens are shared evenly among its slots.
std::vector<double> slot_loads(const ExpertPlacement& placement, const std::vector<std::int64_t>& loads) {
    std::vector<double> of_slot(placement.expert_of_slot.size());
    const std::vector<std::vector<int>> slots = placement.slots_of_experts();
    for (std::size_t expert = 0; expert < slots.size(); ++expert) {
        const auto count = static_cast<std::int64_t>(slots[expert].size());
        for (std::int64_t i = 0; i < count; ++i)
            of_slot[static_cast<std::size_t>(slots[expert][static_cast<std::size_t>(i)])] =
                double(loads[expert] / count + (i < loads[expert] % count ? 1 : 0));
    }
    return of_slot;
}

// Adds the distinct ranks and nodes of tokens of the layer; copies of an expert take turns.
void count_places(const ExpertPlacement& placement, RoutingSource& source, int layer, std::int64_t step,
                  int ranks_per_node, double& ranks_met, double& nodes_met) {
    const std::vector<std::vector<int>> slots = placement.slots_of_experts();
    for (std::int64_t token = 0; token < kJudgedTokens; ++token) {
        std::set<int> ranks, nodes;
        for (const int expert : source.experts_of(layer, step, token)) {
            const std::vector<int>& own = slots[static_cast<std::size_t>(expert)];
            const int rank = placement.rank_of_slot(own[static_cast<std::size_t>(token) % own.size()]);
            ranks.insert(rank);
            nodes.insert(rank / ranks_per_node);
        }
        ranks_met += double(ranks.size());
        nodes_met += double(nodes.size());
    }
}

}  // namespace

double busiest_over_mean(const std::vector<RankShare>& shares, double RankShare::*number) {
    double most = 0, sum = 0;
    for (const RankShare& share : shares) {
        most = std::max(most, share.*number);
        sum += share.*number;
    }
    return sum > 0 ? most / (sum / double(shares.size())) : 1;
}

RankShares::RankShares(const Model& model, const RankSharesSpec& spec)
    : RankShares(model, spec, *routing_of(model, spec.routing, spec.tokens)) {}

RankShares::RankShares(const Model& model, const RankSharesSpec& spec, RoutingSource& source)
    : spec_(spec),
      layers_(static_cast<std::size_t>(model.layers)),
      placements_(layers_.size()),
      loads_(layers_.size()) {
    if (spec.tokens < 1) throw InputError("workload.batch", "a token of each micro-batch at least", "none");
    const std::int64_t step = spec.experts.learned + spec.experts.age;
    const int first = static_cast<int>(model.ffn.dense_layers);
    const int judged_every = std::max(1, (model.layers - first) / kJudgedLayers);
    mean_pairs_ = double(spec.tokens) * model.ffn.top_k / spec.ranks;
    for (const ExpertSwap& swap : spec.experts.swaps)
        if (swap.layer < first || swap.layer >= model.layers)
            throw InputError("placement.experts.swaps",
                             fmt::format("a layer with routed experts, {} to {}", first, model.layers - 1),
                             fmt::format("{}", swap.layer));
    double imbalance = 0, judged = 0;
    for (int layer = first; layer < model.layers; ++layer) {
        const auto index = static_cast<std::size_t>(layer);
        ExpertPlacement& placement = placements_[index] = placed(model, source, layer);
        swap_by_hand(placement, layer);
        std::vector<RankShare>& of_ranks = layers_[index];
        loads_[index] = source.loads(layer, step);
        of_ranks = shares(placement, loads_[index]);
        const auto busiest = std::ranges::max_element(of_ranks, {}, &RankShare::pairs);
        imbalance += busiest->pairs / mean_pairs_;
        if ((layer - first) % judged_every != 0) continue;
        judged += kJudgedTokens;
        count_places(placement, source, layer, step, spec.ranks_per_node, ranks_of_a_token_, nodes_of_a_token_);
    }
    load_max_over_mean_ = imbalance / std::max(1, model.layers - first);
    ranks_of_a_token_ /= judged;
    nodes_of_a_token_ /= judged;
}

ExpertPlacement RankShares::placed(const Model& model, RoutingSource& source, int layer) const {
    const ExpertDials& dials = spec_.experts;
    const int experts = source.experts(), nodes = std::max(1, spec_.ranks / spec_.ranks_per_node);
    switch (dials.order) {
        case ExpertOrder::linear: return linear_placement(experts, dials.redundant, spec_.ranks);
        case ExpertOrder::random:
            return random_placement(experts, dials.redundant, spec_.ranks,
                                    spec_.routing.seed + static_cast<std::uint64_t>(layer));
        case ExpertOrder::eplb:
        case ExpertOrder::eplb_global: break;
        case ExpertOrder::partition: {
            const int per_step = std::max(1, kSampledTokens / std::max(1, dials.learned));
            const TokenSample sample = sample_tokens(source, layer, 0, dials.learned, per_step);
            // Bandwidths do not matter to the cut.
            const TwoLevelFabric fabric{.nodes = nodes, .ranks_per_node = spec_.ranks / nodes};
            return partitioned_placement(co_activation(sample, experts), fabric,
                                         {.redundant = dials.redundant, .seed = spec_.routing.seed});
        }
    }
    std::vector<double> weights(static_cast<std::size_t>(experts));
    for (std::int64_t step = 0; step < dials.learned; ++step) {
        const std::vector<std::int64_t> loads = source.loads(layer, step);
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += double(loads[i]);
    }
    const bool by_node = dials.order == ExpertOrder::eplb && spec_.ranks % nodes == 0;
    return eplb_placement(weights, {.redundant = dials.redundant,
                                    .groups = by_node ? model.ffn.router.groups : 1,
                                    .nodes = by_node ? nodes : 1,
                                    .ranks = spec_.ranks});
}

void RankShares::swap_by_hand(ExpertPlacement& placement, int layer) const {
    for (const ExpertSwap& swap : spec_.experts.swaps) {
        if (swap.layer != layer) continue;
        std::array<std::size_t, 2> slots{};
        for (std::size_t side = 0; side < 2; ++side) {
            const auto per_rank = static_cast<std::size_t>(placement.slots_per_rank());
            const auto begin = static_cast<std::size_t>(swap.ranks[side]) * per_rank, end = begin + per_rank;
            std::size_t slot = begin;
            while (slot < std::min(end, placement.expert_of_slot.size()) &&
                   placement.expert_of_slot[slot] != swap.experts[side])
                ++slot;
            if (slot >= std::min(end, placement.expert_of_slot.size()))
                throw InputError("placement.experts.swaps",
                                 fmt::format("an expert of layer {} and a rank that holds it", layer),
                                 fmt::format("expert {} on rank {}", swap.experts[side], swap.ranks[side]));
            slots[side] = slot;
        }
        std::swap(placement.expert_of_slot[slots[0]], placement.expert_of_slot[slots[1]]);
    }
}

std::vector<RankShare> RankShares::shares(const ExpertPlacement& placement,
                                          const std::vector<std::int64_t>& loads) const {
    std::vector<double> of_slot = slot_loads(placement, loads);
    const double sum = double(std::accumulate(loads.begin(), loads.end(), std::int64_t(0)));
    const double scale = sum > 0 ? mean_pairs_ * spec_.ranks / sum : 1;
    for (double& load : of_slot) load *= scale;
    std::vector<RankShare> found(static_cast<std::size_t>(spec_.ranks));
    const auto per_rank = static_cast<std::size_t>(placement.slots_per_rank());
    const double tokens = double(spec_.tokens);
    // A load of another number of tokens is an expectation: how many of its slots are met at all is one too.
    const auto is_met = [&](double load) {
        return scale == 1 ? double(load > 0) : -std::expm1(tokens * std::log1p(-std::min(1.0, load / tokens)));
    };
    for (std::size_t rank = 0; rank < found.size(); ++rank) {
        double missed = 1;  // the chance that a token passes the rank by
        for (std::size_t slot = rank * per_rank; slot < (rank + 1) * per_rank; ++slot) {
            found[rank].pairs += of_slot[slot];
            found[rank].touched += is_met(of_slot[slot]);
            missed *= 1 - std::min(1.0, of_slot[slot] / tokens);
        }
        found[rank].copies = tokens * (1 - missed);
    }
    return found;
}

}  // namespace strata
