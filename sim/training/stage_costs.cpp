#include "sim/training/stage_costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/collective/collective.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/exchange_tasks.hpp"
#include "sim/workload/op_of_rank.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

class LayerPricing {
public:
    LayerPricing(const Scenario& scenario, const Platform& platform, const CostBook& costs, const ProgramInputs& more)
        : scenario_(scenario),
          training_(*scenario.training),
          placement_(scenario.placement),
          platform_(platform),
          left_(without_exchange_cores(platform)),
          costs_(costs),
          shares_(more.shares),
          on_fabric_(more.fabric != nullptr),
          step_(in_normal_mode(scenario)),
          trained_(step_.model),
          tokens_(micro_batch_of(scenario).tokens()),
          exchanges_(step_, platform, tokens_, more) {}

    ModelCost model() {
        const std::vector<Op> ops = training_forward(trained_, micro_batch_of(scenario_));
        ModelCost cost;
        for (auto* layers : {&cost.even, &cost.layers}) layers->reserve(static_cast<std::size_t>(trained_.layers));
        std::size_t begin = 0;
        for (int layer = 0; layer < trained_.layers; ++layer) {
            std::size_t end = begin;
            while (end < ops.size() && ops[end].layer == layer) ++end;
            const std::vector<Op> own{ops.begin() + at(begin), ops.begin() + at(end)};
            const int twin = own.front().twin;
            cost.even.push_back(twin >= 0
                                    ? cost.even[static_cast<std::size_t>(ops[static_cast<std::size_t>(twin)].layer)]
                                    : price_all(own));
            const bool uneven = shares_ && shares_->has(layer);
            cost.layers.push_back(uneven ? price_all(of_busiest(own, shares_->of_layer(layer)), true)
                                         : cost.even.back());
            begin = end;
        }
        cost.last = price_all({ops.begin() + at(begin), ops.end()});
        cost.first = embedding();
        return cost;
    }

private:
    static std::ptrdiff_t at(std::size_t index) { return static_cast<std::ptrdiff_t>(index); }

    // The micro-batch as exchanges in normal mode see it.
    static Scenario in_normal_mode(const Scenario& scenario) {
        Scenario step = scenario;
        step.model = as_trained(scenario.model);
        step.workload.prefill = true;
        return step;
    }

    LayerCost price_all(const std::vector<Op>& forward, bool uneven = false) {
        LayerCost cost;
        for (const TrainingOp& op : training_ops(trained_, forward, training_.recompute)) add(cost, op);
        for (const Op& op : forward) communicate(cost, op, uneven);
        return cost;
    }

    // The layer as the rank has it that all others wait for: whose experts' first product takes longest.
    std::vector<Op> of_busiest(std::vector<Op> forward, const std::vector<RankShare>& shares) const {
        const auto first =
            std::find_if(forward.begin(), forward.end(), [](const Op& op) { return op.name == "experts_gate_up"; });
        if (first == forward.end()) return forward;
        const auto time_of = [&](const RankShare& share) {
            const Task product = task_of(kernel_work(with_share(*first, share).shape));
            return price(product, platform_, costs_, placement_.ranks()).duration;
        };
        const RankShare* busiest = &shares.front();
        Seconds longest = time_of(*busiest);
        for (const RankShare& share : shares)
            if (const Seconds time = time_of(share); time > longest) longest = time, busiest = &share;
        for (Op& op : forward) op = with_share(op, *busiest);
        return forward;
    }

    static Task task_of(const KernelWork& kernel) {
        Task task;
        task.pricing = Pricing::kernel;
        task.family = kernel.family;
        task.fp8 = kernel.fp8;
        task.flops = kernel.work.flops;
        task.moved = kernel.work.bytes();
        task.point = kernel.point;
        task.spared = kernel.spared;
        return task;
    }

    void add(LayerCost& cost, const TrainingOp& op) {
        const Task task = task_of(op.work);
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

    bool overlaps() const { return placement_.ep > 1 && scenario_.kernels.exchange != ExchangeKernel::wire; }

    // Experts' exchanges and tensor ranks' sums, forward and again for gradients; once more where all is recomputed.
    void communicate(LayerCost& cost, const Op& op, bool uneven) {
        const double backward = training_.recompute == Recompute::full && op.slot != Slot::head ? 2 : 1;
        const auto both = [&](Seconds PassCost::*lane, Seconds time, Slot slot) {
            cost.of(Gradient::forward).*lane += time;
            cost.of(Gradient::input).*lane += time * backward;
            cost.components[component_of(slot)].exchange += to_ms(time * (1 + backward));
        };
        if (op.name == "experts_gate_up")
            both(&PassCost::exchange, expert_exchange(op, true, uneven) + expert_exchange(op, false, uneven),
                 Slot::experts);
        if (op.name == "output" || op.name == "experts_down" || op.name == "dense_down")
            both(&PassCost::tensor, all_reduce(op), op.slot);
        if (const auto* fetch = std::get_if<EngramFetch>(&op.shape)) engram_exchange(cost, *fetch);
    }

    // In the backward pass gradients go the same ways: those of results as dispatch does, those of tokens as combine
    // (DeepSeek-V3, section 3.3.3: FP8 and BF16).
    Seconds expert_exchange(const Op& op, bool dispatch, bool uneven) const {
        const auto task = exchanges_.experts(op, dispatch);
        if (!task) return {};
        const Price even = price(*task, platform_, costs_, placement_.ranks());
        return uneven ? even.latency + (even.duration - even.latency) * exchanges_.stretch(*task, op.layer, dispatch)
                      : even.duration;
    }

    Seconds all_reduce(const Op& op) const {
        if (placement_.tp <= 1) return {};
        if (on_fabric_) return price(exchanges_.all_reduce(op), platform_, costs_, placement_.ranks()).duration;
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
    const RankShares* shares_;
    const bool on_fabric_;
    const Scenario step_;
    const Model& trained_;
    double tokens_;
    const ExchangeTasks exchanges_;
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

Seconds LayerCost::computing() const {
    Seconds sum;
    for (const PassCost& pass : passes) sum += pass.computing;
    return sum;
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

ModelCost model_cost(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                     const ProgramInputs& more) {
    return LayerPricing(scenario, platform, costs, more).model();
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
