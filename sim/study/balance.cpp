#include "sim/study/balance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/placement/eplb.hpp"

namespace strata {

namespace {

int layer_asked(const Model& model, const BalanceOptions& options) {
    const int first = static_cast<int>(model.ffn.dense_layers) + model.ffn.router.hash_layers;
    const int layer = options.layer.value_or(first);
    if (layer < first || layer >= model.layers)
        throw InputError("layer", fmt::format("one that has a router: {} to {}", first, model.layers - 1),
                         std::to_string(layer));
    return layer;
}

// The mean rank's time for a pair of the layer, over all its experts' kernels.
Seconds time_of_a_pair(const Scenario& scenario, Inputs& inputs, double pairs_of_a_rank) {
    Scenario even = scenario;
    even.routing.reset();
    even.placement.expert_dials = {.redundant = scenario.placement.expert_dials.redundant};
    const Program program = inputs.program_of(even);
    Seconds experts;
    int layer = -1;
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        const Task& task = program.tasks[i];
        if (task.slot != Slot::experts || task.lane != Lane::compute || program.tasks.batch(i) > 0) continue;
        if (layer < 0) layer = program.tasks.layer(i);
        if (program.tasks.layer(i) == layer) experts += task.duration;
    }
    return experts / pairs_of_a_rank;
}

TwoLevelFabric fabric_of(const Machine& machine, int ranks) {
    const int on_a_node = std::min(machine.ranks, ranks);
    if (ranks % on_a_node != 0)
        throw InputError("placement.ep", fmt::format("whole nodes of {} ranks", on_a_node), std::to_string(ranks));
    return {.nodes = ranks / on_a_node,
            .ranks_per_node = on_a_node,
            .inside = machine.scale_up,
            .outside = machine.scale_out};
}

}  // namespace

BalanceOverTime balance_over_time(const Scenario& scenario, Inputs& inputs, const BalanceOptions& options) {
    if (!scenario.routing) throw InputError("workload.routing", "where tokens go: nothing else is balanced", "nothing");
    if (scenario.serving || scenario.training)
        throw InputError("workload.kind", "decode or prefill: a step of one shape, to see its balance over time",
                         scenario.serving ? "serving" : "training");
    const Model& model = scenario.model;
    const Machine& machine = inputs.platform(scenario.platform).machine;
    const RankSharesSpec spec = shares_spec(scenario, tokens_of_a_rank(scenario), machine.ranks);
    BalanceOverTime result{.layer = layer_asked(model, options)};
    const ScoreRoutingSpec routing = score_routing_spec(model, *scenario.routing, spec.tokens);
    ScoreRouting plain(routing), biased(routing);
    const int layer = result.layer - (model.layers - routing.layers), redundant = spec.experts.redundant;
    const ExpertPlacement linear = linear_placement(plain.experts(), redundant, spec.ranks);
    const TwoLevelFabric fabric = fabric_of(machine, spec.ranks);
    const EplbSpec eplb{.redundant = redundant, .ranks = spec.ranks};
    const std::vector<std::int64_t> first = plain.loads(layer, 0);
    const ExpertPlacement placed = eplb_placement(std::vector<double>(first.begin(), first.end()), eplb);
    std::vector<double> bias(static_cast<std::size_t>(plain.experts()));
    for (int step = 0; step < options.steps; ++step) {
        const std::vector<std::int64_t> loads = plain.loads(layer, step), balanced = biased.loads(layer, step);
        result.steps.push_back({.step = step,
                                .experts = max_over_mean(loads),
                                .biased_experts = max_over_mean(balanced),
                                .linear_ranks = straggler_ratio(linear, loads),
                                .placed_ranks = straggler_ratio(placed, loads),
                                .biased_ranks = straggler_ratio(linear, balanced)});
        update_bias(bias, balanced, options.bias_rate);
        biased.set_bias(layer, bias);
    }
    const double width = model.ffn.width / std::max(1.0, double(scenario.placement.tp) / scenario.placement.ep);
    const Bytes of_expert(3 * model.hidden * width * bytes_per_element(model.experts));
    result.token = time_of_a_pair(scenario, inputs, double(spec.tokens) * model.ffn.top_k / spec.ranks);
    for (const std::int64_t period : options.periods)
        result.replacements.push_back(replay(
            plain, layer, 1, options.steps,
            {.period = period, .eplb = eplb, .fabric = fabric, .of_expert = of_expert, .compute = result.token}));
    return result;
}

}  // namespace strata
