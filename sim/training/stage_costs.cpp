#include "sim/training/stage_costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/collective/collective.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

class LayerPricing {
public:
    LayerPricing(const Scenario& scenario, const Platform& platform, const CostBook& costs)
        : scenario_(scenario),
          training_(*scenario.training),
          placement_(scenario.placement),
          platform_(platform),
          left_(without_exchange_cores(platform)),
          costs_(costs),
          trained_(as_trained(scenario.model)),
          tokens_(micro_batch_of(scenario).tokens()) {}

    ModelCost model() {
        const std::vector<Op> ops = training_forward(trained_, micro_batch_of(scenario_));
        ModelCost cost;
        cost.layers.reserve(static_cast<std::size_t>(trained_.layers));
        std::size_t begin = 0;
        for (int layer = 0; layer < trained_.layers; ++layer) {
            std::size_t end = begin;
            while (end < ops.size() && ops[end].layer == layer) ++end;
            const int twin = ops[begin].twin;
            cost.layers.push_back(twin >= 0
                                      ? cost.layers[static_cast<std::size_t>(ops[static_cast<std::size_t>(twin)].layer)]
                                      : price_all({ops.begin() + at(begin), ops.begin() + at(end)}));
            begin = end;
        }
        cost.last = price_all({ops.begin() + at(begin), ops.end()});
        cost.first = embedding();
        return cost;
    }

private:
    static std::ptrdiff_t at(std::size_t index) { return static_cast<std::ptrdiff_t>(index); }

    LayerCost price_all(const std::vector<Op>& forward) {
        LayerCost cost;
        for (const TrainingOp& op : training_ops(trained_, forward, training_.recompute)) add(cost, op);
        for (const Op& op : forward) communicate(cost, op);
        return cost;
    }

    void add(LayerCost& cost, const TrainingOp& op) {
        Task task;
        task.pricing = Pricing::kernel;
        task.family = op.work.family;
        task.fp8 = op.work.fp8;
        task.flops = op.work.work.flops;
        task.moved = op.work.work.bytes();
        task.point = op.work.point;
        task.spared = op.work.spared;
        const Price alone = price(task, platform_, costs_, placement_.ranks());
        PassCost& pass = cost.of(op.gradient);
        pass.computing += alone.duration;
        pass.beside += overlaps() ? price(task, left_, costs_, placement_.ranks()).duration : alone.duration;
        const Origin origin = op.borrowed ? Origin::assumed : alone.origin;
        cost.by_origin[fmt::format("{}{}", to_string(origin), alone.outside ? ", outside" : "")] += alone.duration;
        ComponentTime& time = cost.components[component_of(op.slot)];
        time.overhead += to_ms(alone.overhead);
        (alone.memory_bound ? time.memory : time.arithmetic) += to_ms(alone.duration - alone.overhead);
    }

    bool overlaps() const { return placement_.ep > 1 && scenario_.kernels.exchange == ExchangeKernel::deepep; }

    // Experts' exchanges and tensor ranks' sums, forward and again for gradients; once more where all is recomputed.
    void communicate(LayerCost& cost, const Op& op) {
        const double backward = training_.recompute == Recompute::full && op.slot != Slot::head ? 2 : 1;
        const auto both = [&](Seconds PassCost::*lane, Seconds time, Slot slot) {
            cost.of(Gradient::forward).*lane += time;
            cost.of(Gradient::input).*lane += time * backward;
            cost.components[component_of(slot)].exchange += to_ms(time * (1 + backward));
        };
        if (op.name == "experts_gate_up")
            both(&PassCost::exchange, expert_exchange(true) + expert_exchange(false), Slot::experts);
        if (op.name == "output" || op.name == "experts_down" || op.name == "dense_down")
            both(&PassCost::tensor, all_reduce(), op.slot);
        if (const auto* fetch = std::get_if<EngramFetch>(&op.shape)) engram_exchange(cost, *fetch);
    }

    // A token's copies to one node travel once, to at most `nodes_per_token` of them; inside a node once to a rank. In
    // the backward pass gradients go the same ways: those of results as dispatch does, those of tokens as combine
    // (DeepSeek-V3, section 3.3.3: FP8 and BF16).
    Seconds expert_exchange(bool dispatch) const {
        const double peers = placement_.ep;
        if (peers <= 1) return {};
        const bool inside = peers <= platform_.scale_up_domain,
                   wire = scenario_.kernels.exchange == ExchangeKernel::wire;
        const double sent = bytes_per_element(trained_.activations_with(trained_.experts)), top_k = trained_.ffn.top_k;
        const double places = inside || wire ? peers : std::ceil(peers / platform_.scale_up_domain);
        const double reached =
            !inside && training_.nodes_per_token > 0 ? std::min<double>(places, training_.nodes_per_token) : places;
        const ExpertAllToAll copies{.tokens = tokens_ / placement_.tp,
                                    .hidden = trained_.hidden,
                                    .copies = wire ? top_k : copies_per_rank(top_k, reached),
                                    .bytes_per_element = dispatch ? sent : kCombineBytes,
                                    .peers = places};
        Task task;
        task.lane = inside ? Lane::scale_up : Lane::scale_out;
        task.moved = copies.sent();
        task.pricing = wire ? Pricing::wire : Pricing::exchange;
        task.family = dispatch ? (inside ? Family::dispatch_normal : Family::dispatch_normal_between_nodes)
                               : (inside ? Family::combine_normal : Family::combine_normal_between_nodes);
        if (!wire && inside && peers == kMeasuredRanks && (!dispatch || sent == kDispatchBytes))
            task.point = {.family = task.family,
                          .sides = {copies.tokens, copies.hidden, top_k, trained_.ffn.experts, kExchangeCores}};
        return price(task, platform_, costs_, placement_.ranks()).duration;
    }

    Seconds all_reduce() const {
        if (placement_.tp <= 1) return {};
        const bool inside = placement_.tp <= platform_.scale_up_domain;
        Task task;
        task.lane = inside ? Lane::scale_up : Lane::scale_out;
        task.pricing = inside ? Pricing::exchange : Pricing::wire;
        task.family = Family::all_reduce;
        task.moved =
            AllReduce{.elements = tokens_ * trained_.hidden, .bytes_per_element = 2, .peers = double(placement_.tp)}
                .sent();
        return price(task, platform_, costs_, placement_.ranks()).duration;
    }

    // A table is sharded by rows over the ranks of its stage: rows come as stored, their gradients go back in BF16
    // (Engram, arXiv 2601.07372, section 2.5: all-to-all both ways).
    void engram_exchange(LayerCost& cost, const EngramFetch& fetch) const {
        const double ranks = double(placement_.tp) * placement_.dp, away = (ranks - 1) / ranks;
        if (ranks <= 1) return;
        const bool inside = ranks <= platform_.scale_up_domain;
        const Bytes gradients(fetch.rows() * trained_.engram->row_dim * 2);
        const Seconds rows = wire_time(fetch.fetched() * away, inside, platform_, costs_);
        const Seconds back = wire_time(gradients * away, inside, platform_, costs_);
        cost.of(Gradient::forward).exchange += rows;
        cost.of(Gradient::input).exchange += back;
        cost.components["engram"].exchange += to_ms(rows + back);
    }

    // A row for each token; its gradient is added to the row's in FP32.
    LayerCost embedding() {
        LayerCost cost;
        const double elements = tokens_ * trained_.hidden / placement_.tp;
        const auto moved = [&](Gradient gradient, double bytes) {
            TrainingOp op{"embedding", Slot::embedding, gradient, {.family = Family::engram_gather}, false};
            op.work.work.read = Bytes(bytes * elements);
            add(cost, op);
        };
        moved(Gradient::forward, 2 + 2);
        moved(Gradient::weights, 2 + 4 + 4);
        return cost;
    }

    const Scenario& scenario_;
    const TrainingWorkload& training_;
    const Placement& placement_;
    const Platform& platform_;
    const Platform left_;
    const CostBook& costs_;
    const Model trained_;
    double tokens_;
};

// The two lanes of all passes together.
struct Beside {
    Seconds kernels, exchanges;
};

Beside beside(const LayerCost& cost) {
    Beside sum;
    for (const PassCost& pass : cost.passes) {
        sum.kernels += pass.beside + pass.tensor;
        sum.exchanges += pass.exchange;
    }
    return sum;
}

}  // namespace

LayerCost& LayerCost::operator+=(const LayerCost& other) {
    for (std::size_t i = 0; i < passes.size(); ++i) {
        passes[i].computing += other.passes[i].computing;
        passes[i].beside += other.passes[i].beside;
        passes[i].exchange += other.passes[i].exchange;
        passes[i].tensor += other.passes[i].tensor;
    }
    for (const auto& [origin, time] : other.by_origin) by_origin[origin] += time;
    for (const auto& [name, time] : other.components) {
        ComponentTime& sum = components[name];
        sum.memory += time.memory;
        sum.arithmetic += time.arithmetic;
        sum.overhead += time.overhead;
        sum.exchange += time.exchange;
    }
    return *this;
}

Seconds LayerCost::alone() const {
    Seconds sum;
    for (const PassCost& pass : passes) sum += pass.alone();
    return sum;
}

Seconds LayerCost::overlapped() const {
    const Beside all = beside(*this);
    return all.exchanges > Seconds(0) ? std::max(all.kernels, all.exchanges) : alone();
}

Seconds LayerCost::exposed() const {
    const Beside all = beside(*this);
    return std::max(Seconds(0), all.exchanges - all.kernels);
}

StepShape micro_batch_of(const Scenario& scenario) {
    const TrainingWorkload& training = *scenario.training;
    StepShape shape;
    shape.sequences = training.micro_batch;
    shape.queries = training.length;
    shape.tensor_ranks = scenario.placement.tp;
    shape.expert_ranks = scenario.placement.ep;
    shape.prefill = true;
    shape.drafts = training.mtp && scenario.model.mtp ? scenario.model.mtp->layers : 0;
    return shape;
}

ModelCost model_cost(const Scenario& scenario, const Platform& platform, const CostBook& costs) {
    return LayerPricing(scenario, platform, costs).model();
}

Seconds wire_time(Bytes sent, bool inside, const Platform& platform, const CostBook& costs) {
    if (sent <= Bytes(0)) return {};
    Task task;
    task.lane = inside ? Lane::scale_up : Lane::scale_out;
    task.pricing = Pricing::wire;
    task.moved = sent;
    return price(task, platform, costs, 1).duration;
}

Seconds ring_time(Bytes buffer, double ranks, double stride, const Platform& platform, const CostBook& costs) {
    const double inside = std::clamp(platform.scale_up_domain / stride, 1.0, ranks), nodes = ranks / inside;
    return wire_time(buffer * ((inside - 1) / inside), true, platform, costs) +
           wire_time(buffer / inside * ((nodes - 1) / nodes), false, platform, costs);
}

}  // namespace strata
