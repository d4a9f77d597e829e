#include "sim/workload/exchange_tasks.hpp"

#include <algorithm>
#include <cmath>

#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

Task on_fabric(Task task, const FabricTime& time, bool crosses) {
    task.lane = crosses ? Lane::scale_out : Lane::scale_up;
    task.pricing = Pricing::fabric;
    task.moved = time.sent;
    task.duration = time.time;
    task.latency = time.latency;
    return task;
}

}  // namespace

Task named(const Op& op, std::string_view name, Lane lane, Pricing pricing) {
    static constexpr Task kNothing{};  // copied faster than made
    Task task = kNothing;
    task.name = name;
    task.slot = op.slot;
    task.lane = lane;
    task.pricing = pricing;
    return task;
}

// Tokens to the ranks of their experts, or results back. In low latency mode every copy travels; in normal mode
// copies to one place travel once, a place being a rank inside a node and a node between nodes.
std::optional<Task> ExchangeTasks::experts(const Op& op, bool dispatch) const {
    const double peers = placement_.ep;
    if (peers <= 1) return {};
    const bool inside = peers <= platform_.scale_up_domain, low_latency = !scenario_.workload.prefill;
    const bool wire = scenario_.kernels.exchange == ExchangeKernel::wire;
    const double places = inside || wire ? peers : std::ceil(peers / platform_.scale_up_domain);
    const double allowed = !inside && nodes_per_token_ > 0 ? std::min<double>(places, nodes_per_token_) : places;
    const double met = distinct(allowed, !shares_ ? 0
                                         : inside ? shares_->ranks_of_a_token()
                                                  : shares_->nodes_of_a_token());
    const Model& model = scenario_.model;
    const double top_k = model.ffn.top_k;
    // Tokens travel as the experts take them, results in BF16 (DeepSeek-V3, section 3.2).
    const double sent = bytes_per_element(model.activations_with(model.experts));
    const ExpertAllToAll copies{.tokens = tokens_ / placement_.tp,
                                .hidden = model.hidden,
                                .copies = wire || low_latency ? top_k : met,
                                .bytes_per_element = dispatch ? sent : kCombineBytes,
                                .peers = places};
    const std::string_view name = dispatch ? "dispatch" : "combine";
    Task task = named(op, name, inside ? Lane::scale_up : Lane::scale_out, Pricing::wire);
    task.moved = copies.sent();
    task.peers = placement_.ep;
    task.joins = true;
    if (wire) return task;
    if (fabric_) {
        const Bytes one(copies.tokens * copies.hidden * copies.bytes_per_element);
        return on_fabric(task, fabric_->tokens(route(dispatch), one), placement_.ep > fabric_->domain());
    }
    task.pricing = Pricing::exchange;
    task.family =
        static_cast<Family>(static_cast<int>(dispatch ? Family::dispatch_low_latency : Family::combine_low_latency) +
                            (inside ? 0 : 2) + (low_latency ? 0 : 1));
    if (inside && placement_.ep == kMeasuredRanks && (!dispatch || sent == kDispatchBytes)) {
        task.point = {.family = task.family,
                      .sides = {copies.tokens, copies.hidden, top_k, scenario_.model.ffn.experts}};
        if (!low_latency) task.point->sides[4] = kExchangeCores;
    }
    return task;
}

// In normal mode a token goes once to each domain and is handed on inside; in low latency mode every copy goes its
// own way (github deepseek-ai/DeepEP).
TokenRoute ExchangeTasks::route(bool dispatch) const {
    const double ranks = placement_.ep, of_domain = fabric_->domain(), domains = std::ceil(ranks / of_domain);
    const bool crosses = domains > 1, limited = crosses && nodes_per_token_ > 0;
    const double allowed = limited ? std::min<double>(domains, nodes_per_token_) : domains;
    const double on_ranks = once() ? distinct(std::min(ranks, limited ? allowed * of_domain : ranks),
                                              shares_ ? shares_->ranks_of_a_token() : 0)
                                   : scenario_.model.ffn.top_k;
    return {.ranks = placement_.ep,
            .copies = std::min(on_ranks, ranks),
            .domains = crosses ? distinct(allowed, shares_ ? shares_->nodes_of_a_token() : 0) : 1,
            .combine = !dispatch,
            .once = crosses && once()};
}

// Of a token's experts, the distinct places, of which the router allows so many; as sampled where routing says it.
double ExchangeTasks::distinct(double places, double sampled) const {
    return shares_ ? std::min(places, sampled) : copies_per_rank(scenario_.model.ffn.top_k, places);
}

double RankShare::*ExchangeTasks::moved_by(const Task& exchange) const {
    return exchange.pricing != Pricing::wire && once() ? &RankShare::copies : &RankShare::pairs;
}

double ExchangeTasks::stretch(const Task& exchange, int layer, bool dispatch) const {
    if (!shares_ || !shares_->has(layer)) return 1;
    const std::vector<RankShare>& shares = shares_->of_layer(layer);
    if (exchange.pricing == Pricing::fabric)
        return fabric_->stretch(route(dispatch), shares, moved_by(exchange), shares_->tokens());
    return busiest_over_mean(shares, moved_by(exchange));
}

Task ExchangeTasks::all_reduce(const Op& op) const {
    const bool inside = placement_.tp <= platform_.scale_up_domain;
    Task task =
        named(op, "all_reduce", inside ? Lane::scale_up : Lane::scale_out, inside ? Pricing::exchange : Pricing::wire);
    task.family = Family::all_reduce;
    task.peers = placement_.tp;
    task.joins = true;
    const double elements = tokens_ * scenario_.model.hidden;
    static const Label in_a_graph = label_of("sglang_graph");
    if (inside && placement_.tp <= kMeasuredRanks)
        task.point = {.family = task.family, .sides = {elements * 2, double(placement_.tp)}, .labels = {in_a_graph}};
    task.moved = AllReduce{.elements = elements, .bytes_per_element = 2, .peers = double(placement_.tp)}.sent();
    if (!fabric_) return task;
    return on_fabric(task, fabric_->all_reduce(placement_.tp, Bytes(elements * 2)), placement_.tp > fabric_->domain());
}

}  // namespace strata
