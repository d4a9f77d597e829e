#include "app/gui/models/expert_map.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/workload/build_program.hpp"

namespace strata {

namespace {

std::string name_of(ExpertOrder order) {
    switch (order) {
        case ExpertOrder::linear: return "linear";
        case ExpertOrder::random: return "random";
        case ExpertOrder::eplb: return "eplb";
        case ExpertOrder::eplb_global: return "eplb_global";
        case ExpertOrder::partition: return "partition";
    }
    return "";
}

std::vector<double> over_mean(const std::vector<RankShare>& shares, double mean) {
    std::vector<double> loads;
    for (const RankShare& share : shares) loads.push_back(share.pairs / mean);
    return loads;
}

std::vector<std::vector<PlacedExpert>> placed_experts(const ExpertPlacement& placement,
                                                      const std::vector<std::int64_t>& loads, double mean) {
    const std::vector<std::vector<int>> places = placement.slots_of_experts();
    std::vector<std::vector<PlacedExpert>> of_ranks(static_cast<std::size_t>(placement.ranks));
    for (std::size_t slot = 0; slot < placement.expert_of_slot.size(); ++slot) {
        const auto expert = static_cast<std::size_t>(placement.expert_of_slot[slot]);
        const auto rank = static_cast<std::size_t>(placement.rank_of_slot(static_cast<int>(slot)));
        of_ranks[rank].push_back(
            {static_cast<int>(expert), double(loads[expert]) / double(places[expert].size()) / mean});
    }
    return of_ranks;
}

}  // namespace

ExpertMap expert_map(Answerer& answerer, const AnswerRequest& request) {
    const Scenario scenario = answerer.read(request);
    if (!has_a_step(scenario) || scenario.model.ffn.experts <= 0)
        throw InputError("Experts are shown of a decode or prefill step of a model that has some.");
    if (!scenario.routing)
        throw InputError(
            "Tokens spread evenly over all experts here, so every rank has the same load. Say where they go, for "
            "example workload.routing: {law: zipf, exponent: 0.5}.");
    if (scenario.placement.ep < 2)
        throw InputError("One rank holds all experts here: placement.ep of 2 or more shares them out.");
    const RankSharesSpec spec =
        shares_spec(scenario, tokens_of_a_rank(scenario), answerer.inputs().platform(scenario.platform).machine.ranks);
    RankSharesSpec plain = spec;
    plain.experts = {.redundant = spec.experts.redundant};  // experts may not divide among the ranks without
    const RankShares before(scenario.model, plain), after(scenario.model, spec);
    ExpertMap map{.ranks = spec.ranks,
                  .order = name_of(spec.experts.order),
                  .layers = {},
                  .before_max_over_mean = before.load_max_over_mean(),
                  .after_max_over_mean = after.load_max_over_mean()};
    for (int layer = static_cast<int>(scenario.model.ffn.dense_layers); layer < scenario.model.layers; ++layer)
        map.layers.push_back(
            {layer, over_mean(before.of_layer(layer), before.mean_pairs()),
             over_mean(after.of_layer(layer), after.mean_pairs()),
             placed_experts(after.placement_of_layer(layer), after.loads_of_layer(layer), after.mean_pairs())});
    return map;
}

std::optional<ExpertSwap> swap_for(const ExpertLayer& layer, int expert, int from, int to) {
    const std::vector<PlacedExpert>& source = layer.of_ranks[static_cast<std::size_t>(from)];
    const std::vector<PlacedExpert>& target = layer.of_ranks[static_cast<std::size_t>(to)];
    const auto holds = [](const std::vector<PlacedExpert>& rank, int wanted) {
        return std::ranges::any_of(rank, [&](const PlacedExpert& placed) { return placed.expert == wanted; });
    };
    if (from == to || holds(target, expert)) return std::nullopt;
    const PlacedExpert* lightest = nullptr;
    for (const PlacedExpert& placed : target)
        if (!holds(source, placed.expert) && (!lightest || placed.load < lightest->load)) lightest = &placed;
    if (!lightest) return std::nullopt;
    return ExpertSwap{.layer = layer.layer, .experts = {expert, lightest->expert}, .ranks = {from, to}};
}

std::string written(const std::vector<ExpertSwap>& swaps) {
    std::vector<std::string> texts;
    for (const ExpertSwap& swap : swaps)
        texts.push_back(fmt::format("{{layer: {}, experts: [{}, {}], ranks: [{}, {}]}}", swap.layer, swap.experts[0],
                                    swap.experts[1], swap.ranks[0], swap.ranks[1]));
    return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace strata
