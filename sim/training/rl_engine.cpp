#include "sim/training/rl_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/result/economics.hpp"
#include "sim/scenario/rl_workload.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/training/training_engine.hpp"

namespace strata {

namespace {

// What a server holds of the model.
Bytes weights_of(const Model& model) {
    const WeightBytes bytes = weight_bytes(model);
    return bytes.experts + bytes.engram + bytes.other;
}

class Iteration {
public:
    Iteration(const Scenario& scenario, Inputs& inputs)
        : scenario_(scenario), rl_(*scenario.rl), inputs_(inputs), serving_(scenario), training_(scenario) {
        serving_.serving = rl_.rollout;
        training_.training = rl_.update;
        training_.placement = *rl_.update_placement;
    }

    Run run() {
        check();
        RlSpec spec{.servers = {},
                    .prompts = rl_.prompts,
                    .answers = rl_.answers,
                    .prompt_tokens = rl_.rollout.arrivals.input,
                    .answer_tokens = rl_.rollout.arrivals.output,
                    .seed = rl_.rollout.arrivals.seed,
                    .judging = rl_.judging,
                    .judges = rl_.judges,
                    .judge_as_they_end = rl_.judge_as_they_end,
                    .readers = rl_.readers,
                    .update = [this](double tokens) { return update(tokens); },
                    .weights = weights_of(scenario_.model) * double(rl_.rollout.replicas),
                    .sync = sync(),
                    .rolls_out_ahead = rl_.rolls_out_ahead};
        PricedReplicas servers = priced_replicas(serving_, inputs_, rollouts_of(spec));
        spec.servers = std::move(servers.spec);
        const RlIteration iteration = simulate_rl_iteration(spec);
        Run run = run_of(iteration);
        note_origins(run, servers.pricing, iteration);
        const double per_second = 1 / iteration.time.si();
        add_economics(run, scenario_,
                      {.accelerators = double(accelerators()),
                       .tokens_per_s = double(iteration.serving.output_tokens) * per_second,
                       .all_tokens_per_s = iteration.tokens * per_second,
                       .busy = std::min(1.0, busy(iteration))});
        return run;
    }

private:
    int serving_ranks() const { return rl_.rollout.replicas * scenario_.placement.ranks(); }
    int training_ranks() const { return training_.placement.ranks(); }
    // Servers and update take turns on the same accelerators, unless answers are rolled out ahead.
    int accelerators() const {
        return rl_.rolls_out_ahead ? serving_ranks() + training_ranks() : std::max(serving_ranks(), training_ranks());
    }

    void check() const {
        const SystemSpec& system = scenario_.platform.system;
        const double there = system.nodes.get() * system.accelerators_per_node.get();
        if (accelerators() > there)
            throw InputError("workload.rollout.replicas",
                             fmt::format("servers and update on at most the {:.0f} accelerators of {} nodes of {}",
                                         there, system.nodes.get(), system.name),
                             fmt::format("{} for servers, {} for the update, {}", serving_ranks(), training_ranks(),
                                         rl_.rolls_out_ahead ? "at the same time" : "in turn"));
    }

    // So many whole sequences that every rank has the same number of micro-batches: packed, the last ones padded.
    Seconds update(double tokens) {
        const double of_a_step = double(training_.placement.dp) * rl_.update.micro_batch;
        training_.training->sequences =
            static_cast<int>(std::ceil(tokens / (rl_.update.length * of_a_step)) * of_a_step);
        plan_ = plan_training(training_, inputs_.platform(training_.platform), inputs_.costs(),
                              inputs_.exchange_inputs(training_, micro_batch_of(training_).tokens()));
        return plan_.parts.step;
    }

    // Each rank of a server takes its part from whoever has it: as many links work as there are ranks on the side that
    // has fewer. Inside of one scale-up domain those are the links there.
    Bandwidth sync() const {
        if (rl_.sync) return *rl_.sync;
        const PlatformSpec& platform = scenario_.platform;
        const bool inside = accelerators() <= inputs_.platform(platform).scale_up_domain;
        const LinkSpec& link = present(inside ? platform.scale_up_link : platform.scale_out_link, platform.system,
                                       inside ? "scale_up_link" : "scale_out_link");
        return link.effective_bandwidth.get() * double(std::min(serving_ranks(), training_ranks()));
    }

    Run run_of(const RlIteration& iteration) const {
        Run run;
        run.engine = "analytic";
        auto& metrics = run.metrics;
        metrics["rl.iteration_s"] = iteration.time.si();
        metrics["rl.rollout_s"] = iteration.rollout.si();
        metrics["rl.tail_s"] = iteration.tail.si();
        metrics["rl.judging_s"] = iteration.judging.si();
        metrics["rl.reading_s"] = iteration.reading.si();
        metrics["rl.update_s"] = iteration.update.si();
        metrics["rl.sync_s"] = iteration.sync.si();
        metrics["rl.tokens"] = iteration.tokens;
        metrics["rl.answers_per_s"] = double(rl_.prompts) * rl_.answers / iteration.time.si();
        metrics["rl.tokens_per_s_per_accelerator"] = iteration.tokens / iteration.time.si() / accelerators();
        metrics["rl.iterations_per_day"] = 86400 / iteration.time.si();
        metrics["rl.rollout_batch"] = iteration.serving.pool.batch_mean;
        metrics["rl.rollout_utilisation"] = iteration.serving.pool.utilisation;
        run.bottleneck = bottleneck_of(iteration);
        return run;
    }

    static std::string bottleneck_of(const RlIteration& iteration) {
        const std::pair<Seconds, const char*> parts[] = {{iteration.rollout, "rollout"},
                                                         {iteration.judging, "judging"},
                                                         {iteration.reading, "reading"},
                                                         {iteration.update, "update"},
                                                         {iteration.sync, "sync"}};
        return std::max_element(std::begin(parts), std::end(parts))->second;
    }

    // Of the time of kernels: those of the servers' steps, and those of the update in the time that it takes.
    void note_origins(Run& run, const StepPricing& pricing, const RlIteration& iteration) const {
        std::map<std::string, double> rollout, update;
        pricing.add_time_by_origin(rollout);
        for (const LayerCost& stage : plan_.costs)
            for (const auto& [origin, time] : stage.by_origin) update[origin] += time.si();
        for (const auto& [parts, time] : {std::pair(rollout, iteration.rollout), {update, iteration.update}}) {
            double all = 0;
            for (const auto& [origin, seconds] : parts) all += seconds;
            for (const auto& [origin, seconds] : parts)
                run.share_of_compute[origin] += seconds / all * (time / (iteration.rollout + iteration.update));
        }
    }

    double busy(const RlIteration& iteration) const {
        const double serving = iteration.serving.pool.utilisation * iteration.rollout.si() * serving_ranks();
        return (serving + iteration.update.si() * training_ranks()) / (iteration.time.si() * accelerators());
    }

    const Scenario& scenario_;
    const RlWorkload& rl_;
    Inputs& inputs_;
    Scenario serving_, training_;
    TrainingPlan plan_;
};

}  // namespace

Run run_rl(const Scenario& scenario, Inputs& inputs) { return Iteration(scenario, inputs).run(); }

}  // namespace strata
