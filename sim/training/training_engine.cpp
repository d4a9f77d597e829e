#include "sim/training/training_engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/failure/hours.hpp"
#include "sim/training/layer_split.hpp"
#include "sim/training/training_goodput_metrics.hpp"
#include "sim/workload/op_of_rank.hpp"

namespace strata {

namespace {

bool in_pairs(PipelineKind kind) { return kind == PipelineKind::dualpipe || kind == PipelineKind::dualpipe_v; }

// A DualPipeV device holds two stages, so there are twice as many as pipeline ranks.
int stages_of(const Scenario& scenario) {
    return scenario.placement.pp * (scenario.training->schedule == PipelineKind::dualpipe_v ? 2 : 1);
}

int micro_batches_of(const Scenario& scenario) {
    const TrainingWorkload& training = *scenario.training;
    const long long of_a_step = 1LL * scenario.placement.dp * training.micro_batch;
    if (training.sequences % of_a_step != 0)
        throw InputError("workload.sequences",
                         fmt::format("a multiple of dp x micro_batch = {} x {} = {}", scenario.placement.dp,
                                     training.micro_batch, of_a_step),
                         std::to_string(training.sequences));
    return static_cast<int>(training.sequences / of_a_step);
}

void check(const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    const SystemSpec& system = scenario.platform.system;
    const double available = system.accelerators_per_node.get() * system.nodes.get();
    if (placement.ranks() > available)
        throw InputError("placement: tp x dp x pp",
                         fmt::format("at most {:.0f} ranks ({} has that many accelerators)", available, system.name),
                         std::to_string(placement.ranks()));
    const int stage = placement.tp * placement.dp;
    if (placement.ep > stage || stage % placement.ep != 0)
        throw InputError("placement.ep", fmt::format("a divisor of tp x dp = {}", stage), std::to_string(placement.ep));
    if (placement.micro_batches != 1 || placement.expert_dials.redundant != 0)
        throw InputError("placement", "no micro_batches and no redundant experts: the workload's schedule has its own",
                         fmt::format("{} and {}", placement.micro_batches, placement.expert_dials.redundant));
    if (placement.cp != 1)
        throw InputError("placement.cp", "1: the passes of training do not share sequences",
                         std::to_string(placement.cp));
    for (const Tier tier : {placement.experts, placement.kv, placement.engram})
        if (tier != Tier::hbm)
            throw InputError("placement", "tier hbm for all: training updates parameters where their gradients are",
                             std::string(to_string(tier)));
    if (scenario.kernels.experts != ExpertKernel::grouped)
        throw InputError("kernels.experts", "grouped: the others have no backward pass", "another");
}

StageTimes times_of(const LayerCost& cost) {
    return {.forward = cost.of(Gradient::forward).alone(),
            .backward_input = cost.of(Gradient::input).alone(),
            .backward_weights = cost.of(Gradient::weights).alone(),
            .forward_and_backward = cost.overlapped()};
}

double tables_in(const Model& model, int from, int to) {
    if (!model.engram) return 0;
    return double(std::count_if(model.engram->layer_ids.begin(), model.engram->layer_ids.end(),
                                [&](int layer) { return layer >= from && layer < to; }));
}

class Planning {
public:
    Planning(const Scenario& scenario, const Platform& platform, const CostBook& costs, const ProgramInputs& more)
        : scenario_(scenario), training_(*scenario.training), platform_(platform), costs_(costs), more_(more) {
        more_.nodes_per_token = training_.nodes_per_token;
    }

    TrainingPlan plan() {
        check(scenario_);
        plan_.spec.schedule = pipeline_schedule(training_.schedule, stages_of(scenario_), micro_batches_of(scenario_));
        price_stages();
        plan_.spec.transfer = transfer();
        plan_.spec.sharding = sharding();
        plan_.step = simulate_step(plan_.spec);
        plan_.memory = memory();
        plan_.parts = parts();
        return std::move(plan_);
    }

private:
    void price_stages() {
        const ModelCost model = model_cost(scenario_, platform_, costs_, more_);
        const bool pairs = in_pairs(training_.schedule);
        const auto load = [&](const LayerCost& cost) { return pairs ? cost.overlapped() : cost.alone(); };
        // Which layers a stage has is fixed before anybody knows where tokens go.
        LayerLoads loads{.layers = {}, .first = load(model.first), .last = load(model.last)};
        for (const LayerCost& layer : model.even) loads.layers.push_back(load(layer));
        plan_.stages = split_layers(loads, plan_.spec.schedule.stages, pairs);
        for (int stage = 0; stage < plan_.spec.schedule.stages; ++stage) {
            LayerCost cost;
            for (int layer = begin_of(stage); layer < begin_of(stage + 1); ++layer)
                cost += model.layers[static_cast<std::size_t>(layer)];
            if (stage == 0) cost += model.first;
            if (stage + 1 == plan_.spec.schedule.stages) cost += model.last;
            plan_.spec.stages.push_back(times_of(cost));
            plan_.costs.push_back(std::move(cost));
        }
        for (std::size_t layer = 0; layer < model.layers.size(); ++layer)
            plan_.straggling += (model.layers[layer].computing() - model.even[layer].computing()) *
                                double(micro_batches_of(scenario_)) / scenario_.placement.pp;
    }

    int begin_of(int stage) const { return plan_.stages[static_cast<std::size_t>(stage)]; }

    // All residual streams go to the next stage; tensor ranks hold the same and send a slice each.
    Seconds transfer() const {
        if (plan_.spec.schedule.stages == 1) return {};
        const Model& model = scenario_.model;
        const Bytes sent(micro_batch_of(scenario_).tokens() * model.hidden * model.streams * 2 /
                         scenario_.placement.tp);
        return wire_time(sent, scenario_.placement.ranks() <= platform_.scale_up_domain, platform_, costs_);
    }

    // Of the device that has most to do, for each of its stages.
    Sharding sharding() const {
        const ModelParameters parameters = model_parameters(scenario_);
        Sharding most;
        for (const std::vector<int>& stages : stages_of_devices()) {
            Sharding sum{.zero = most.zero};
            for (const int stage : stages) {
                const Sharding one =
                    sharding_of(scenario_, of_stage(parameters, stage), tables_of(stage), platform_, costs_);
                sum.zero = one.zero;
                sum.gather += one.gather;
                sum.reduce += one.reduce;
                sum.optimiser += one.optimiser;
            }
            const double held = double(stages.size());
            most = {.zero = sum.zero,
                    .gather = std::max(most.gather, sum.gather / held),
                    .reduce = std::max(most.reduce, sum.reduce / held),
                    .optimiser = std::max(most.optimiser, sum.optimiser / held)};
        }
        return most;
    }

    Parameters of_stage(const ModelParameters& parameters, int stage) const {
        Parameters all;
        const auto take = [&](const Parameters& some) { all.insert(all.end(), some.begin(), some.end()); };
        for (int layer = begin_of(stage); layer < begin_of(stage + 1); ++layer)
            take(parameters.layers[static_cast<std::size_t>(layer)]);
        if (stage == 0) take(parameters.first);
        if (stage + 1 == plan_.spec.schedule.stages) take(parameters.last);
        return all;
    }
    double tables_of(int stage) const { return tables_in(scenario_.model, begin_of(stage), begin_of(stage + 1)); }

    std::vector<std::vector<int>> stages_of_devices() const {
        std::vector<std::vector<int>> all;
        for (const std::vector<PipelineTask>& tasks : plan_.spec.schedule.of_device) {
            auto& stages = all.emplace_back();
            for (const PipelineTask& task : tasks)
                for (const MicroStage& at : {task.forward, task.backward})
                    if (at.stage >= 0 && std::find(stages.begin(), stages.end(), at.stage) == stages.end())
                        stages.push_back(at.stage);
        }
        return all;
    }

    TrainingMemory memory() const {
        const Model trained = as_trained(scenario_.model);
        const ModelParameters parameters = model_parameters(scenario_);
        StepShape shape = micro_batch_of(scenario_);
        const auto devices = stages_of_devices();
        TrainingMemory fullest;
        for (std::size_t device = 0; device < devices.size(); ++device) {
            std::vector<StageMemory> stages;
            for (const int stage : devices[device]) {
                shape.first_layer = begin_of(stage), shape.end_layer = begin_of(stage + 1);
                const double layers = shape.end_layer - shape.first_layer;
                stages.push_back({.parameters = of_stage(parameters, stage),
                                  .activations = kept_activations(trained, of_fullest(training_forward(trained, shape)),
                                                                  training_.recompute, layers),
                                  .tables = tables_of(stage),
                                  .head = stage + 1 == plan_.spec.schedule.stages});
            }
            const double under_way = double(plan_.step.peak_activations[device]) / double(stages.size());
            const TrainingMemory here = training_memory(scenario_, stages, under_way);
            if (here.all() > fullest.all()) fullest = here;
        }
        check_fits(scenario_, fullest);
        return fullest;
    }

    // Of a stage's ops those of the rank with most pairs of tokens and experts, and so most to keep, over its layers.
    std::vector<Op> of_fullest(std::vector<Op> forward) const {
        if (!more_.shares) return forward;
        std::vector<double> pairs(static_cast<std::size_t>(more_.shares->ranks()));
        for (const Op& op : forward)
            if (op.name == "experts_gate_up" && more_.shares->has(op.layer))
                for (std::size_t rank = 0; rank < pairs.size(); ++rank)
                    pairs[rank] += more_.shares->of_layer(op.layer)[rank].pairs;
        const auto fullest = static_cast<std::size_t>(std::ranges::max_element(pairs) - pairs.begin());
        for (Op& op : forward)
            if (more_.shares->has(op.layer)) op = with_share(op, more_.shares->of_layer(op.layer)[fullest]);
        return forward;
    }

    StepParts parts() const {
        StepParts sum;
        for (const std::vector<PipelineTask>& tasks : plan_.spec.schedule.of_device)
            for (const PipelineTask& task : tasks) add(sum, task);
        for (const Seconds bubble : plan_.step.bubble) sum.bubble += bubble;
        const double devices = double(plan_.spec.schedule.of_device.size());
        for (Seconds* part :
             {&sum.forward, &sum.backward, &sum.weights, &sum.forward_and_backward, &sum.bubble, &sum.exposed})
            *part = *part / devices;
        sum.update = plan_.step.time - plan_.step.pipeline;
        sum.step = plan_.step.time;
        const Sharding& sharding = *plan_.spec.sharding;
        const double held = double(plan_.step.stages_held.front());
        sum.exposed += std::max(Seconds(0), sum.update - sharding.optimiser * held);
        return sum;
    }

    void add(StepParts& sum, const PipelineTask& task) const {
        const auto time = [&](int stage) { return plan_.spec.stages[static_cast<std::size_t>(stage)]; };
        const auto pass = [&](int stage, Gradient gradient) {
            return plan_.costs[static_cast<std::size_t>(stage)].of(gradient);
        };
        const auto expose = [&](int stage, Gradient gradient) {
            sum.exposed += pass(stage, gradient).exchange + pass(stage, gradient).tensor;
        };
        switch (task.pass) {
            case Pass::forward:
                sum.forward += time(task.forward.stage).forward;
                return expose(task.forward.stage, Gradient::forward);
            case Pass::backward:
                sum.backward += time(task.backward.stage).backward_input + time(task.backward.stage).backward_weights;
                return expose(task.backward.stage, Gradient::input);
            case Pass::backward_input:
                sum.backward += time(task.backward.stage).backward_input;
                return expose(task.backward.stage, Gradient::input);
            case Pass::backward_weights: sum.weights += time(task.backward.stage).backward_weights; return;
            case Pass::forward_and_backward:
                for (const int stage : {task.forward.stage, task.backward.stage}) {
                    sum.forward_and_backward += time(stage).together() / 2;
                    const LayerCost& cost = plan_.costs[static_cast<std::size_t>(stage)];
                    sum.exposed +=
                        (cost.exposed() + cost.of(Gradient::forward).tensor + cost.of(Gradient::input).tensor) / 2;
                }
        }
    }

    const Scenario& scenario_;
    const TrainingWorkload& training_;
    const Platform& platform_;
    const CostBook& costs_;
    ProgramInputs more_;
    TrainingPlan plan_;
};

// Where the time of all micro-batches and stages goes, for a rank.
void note_costs(Run& run, const TrainingPlan& plan, int ranks_of_pipeline) {
    LayerCost all;
    for (const LayerCost& stage : plan.costs) all += stage;
    Seconds computing;
    for (const auto& [origin, time] : all.by_origin) computing += time;
    for (const auto& [origin, time] : all.by_origin) run.share_of_compute[origin] = time / computing;
    const double times = double(plan.spec.schedule.micro_batches) / ranks_of_pipeline;
    for (auto [name, time] : all.components) {
        for (double* part : {&time.memory, &time.arithmetic, &time.overhead, &time.exchange}) *part *= times;
        run.components[name] = time;
    }
    run.utilisation[static_cast<std::size_t>(Lane::compute)] = computing * times / plan.parts.step;
}

// The model's FLOPs as its authors count them: six a parameter that a token meets, and attention, without what is
// computed again and without multi-token prediction (DeepSeek, arXiv 2505.09343, tables 2 and 4). Non-causal attention
// sees twice as many tokens as causal.
double mfu(const Scenario& scenario, Seconds step, bool causal) {
    const TrainingWorkload& training = *scenario.training;
    const double flops = training_flops(scenario.model, training.length * (causal ? 1.0 : 2.0)) * training.tokens();
    return flops / (step.si() * scenario.placement.ranks() * scenario.platform.accelerator.bf16.get().si());
}

void note_step(Run& run, const Scenario& scenario, const TrainingPlan& plan) {
    const StepParts& parts = plan.parts;
    auto& metrics = run.metrics;
    const double tokens_per_day = scenario.training->tokens() / parts.step.si() * kDay;
    metrics["training.step_s"] = parts.step.si();
    metrics["training.tokens_per_day"] = tokens_per_day;
    metrics["training.tokens_per_s_per_accelerator"] = tokens_per_day / kDay / scenario.placement.ranks();
    metrics["training.accelerator_hours_per_trillion_tokens"] = scenario.placement.ranks() * 24 * 1e12 / tokens_per_day;
    metrics["training.mfu"] = mfu(scenario, parts.step, false);
    metrics["training.mfu_causal"] = mfu(scenario, parts.step, true);
    metrics["training.forward_s"] = parts.forward.si();
    metrics["training.backward_s"] = parts.backward.si();
    metrics["training.weight_gradients_s"] = parts.weights.si();
    metrics["training.forward_and_backward_s"] = parts.forward_and_backward.si();
    metrics["training.bubble_s"] = parts.bubble.si();
    metrics["training.update_s"] = parts.update.si();
    metrics["training.bubble_share"] = parts.bubble / parts.step;
    metrics["training.exposed_communication_share"] = parts.exposed / parts.step;
    const TrainingMemory& memory = plan.memory;
    metrics["memory.hbm_gb"] = to_GB(memory.all());
    metrics["memory.weights_gb"] = to_GB(memory.weights);
    metrics["memory.gradients_gb"] = to_GB(memory.gradients);
    metrics["memory.optimiser_gb"] = to_GB(memory.optimiser);
    metrics["memory.activations_gb"] = to_GB(memory.activations);
    metrics["memory.engram_gb"] = to_GB(memory.engram);
    metrics["memory.buffers_gb"] = to_GB(memory.buffers);
}

void note_balance(Run& run, const RankShares& shares, const TrainingPlan& plan) {
    run.metrics["moe.load_max_over_mean"] = shares.load_max_over_mean();
    run.metrics["moe.straggler_ms"] = to_ms(plan.straggling);
    run.metrics["moe.ranks_per_token"] = shares.ranks_of_a_token();
    run.metrics["moe.nodes_per_token"] = shares.nodes_of_a_token();
}

std::string bottleneck_of(const Run& run, const StepParts& parts) {
    if (parts.bubble > parts.step * 0.5) return "pipeline";
    if (parts.exposed > parts.step * 0.5) return "communication";
    double memory = 0, arithmetic = 0;
    for (const auto& [name, time] : run.components) memory += time.memory, arithmetic += time.arithmetic;
    return memory > arithmetic ? "memory" : "arithmetic";
}

}  // namespace

TrainingPlan plan_training(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                           const ProgramInputs& more) {
    return Planning(scenario, platform, costs, more).plan();
}

Run run_training(const Scenario& scenario, Inputs& inputs) {
    check(scenario);  // what is wrong with a placement is said before its routing is drawn
    const ProgramInputs more = inputs.exchange_inputs(scenario, micro_batch_of(scenario).tokens());
    const TrainingPlan plan = plan_training(scenario, inputs.platform(scenario.platform), inputs.costs(), more);
    Run run;
    run.engine = "analytic";
    note_step(run, scenario, plan);
    if (more.shares) note_balance(run, *more.shares, plan);
    note_costs(run, plan, scenario.placement.pp);
    run.bottleneck = bottleneck_of(run, plan.parts);
    if (scenario.training->failures) note_goodput(run, scenario, inputs.platform(scenario.platform));
    return run;
}

}  // namespace strata
