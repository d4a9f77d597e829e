#include "sim/training/training_goodput_metrics.hpp"

#include <algorithm>

#include "sim/failure/hours.hpp"
#include "sim/failure/published_failures.hpp"
#include "sim/training/training_ops.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

std::vector<FailureSource> sources_of(const FailureWorkload& failures, double accelerators) {
    switch (failures.published) {
        case PublishedFailures::llama3: return llama3_failures(accelerators);
        case PublishedFailures::rsc1: return rsc1_failures(accelerators);
        case PublishedFailures::none: break;
    }
    std::vector<FailureSource> sources;
    for (const FailureRate& rate : failures.sources)
        sources.push_back({.name = rate.name,
                           .parts = rate.parts_per_accelerator * accelerators,
                           .mtbf = Seconds(rate.mtbf_h * kHour),
                           .weibull_shape = rate.weibull_shape,
                           .breaks_node = rate.breaks_node});
    return sources;
}

// Ranks of a node share nothing on the way to host memory but the memory itself, which is faster than their links.
CheckpointCost checkpoint_cost(const Scenario& scenario, const Platform& platform) {
    const CheckpointWorkload& checkpoint = scenario.training->failures->checkpoint;
    CheckpointTarget target{.of_rank = checkpoint_of_rank(scenario),
                            .ranks = scenario.placement.ranks(),
                            .rank_bandwidth = checkpoint.bandwidth,
                            .shared_bandwidth = checkpoint.shared_bandwidth,
                            .latency = {}};
    if (!checkpoint.staged) return blocking_checkpoint(target);
    if (!platform.host_missing.empty()) throw InputError(platform.host_missing);
    CheckpointTarget staging = target;
    staging.rank_bandwidth = platform.machine.host_link;
    staging.shared_bandwidth.reset();
    return staged_checkpoint(staging, target);
}

}  // namespace

Bytes checkpoint_of_rank(const Scenario& scenario) {
    const Model trained = as_trained(scenario.model);
    const double parameters = strata::parameters(trained).total() + mtp_parameters(trained).backbone();
    constexpr double kMaster = 4, kMoments = 2 * 2;
    return Bytes(parameters * (kMaster + kMoments) / scenario.placement.ranks());
}

GoodputSpec goodput_spec(const Scenario& scenario, const Platform& platform, Seconds step) {
    const FailureWorkload& failures = *scenario.training->failures;
    const Placement& placement = scenario.placement;
    GoodputSpec spec;
    spec.failures = sources_of(failures, placement.ranks());
    spec.duration = Seconds(failures.duration_days * kDay);
    spec.checkpoint = checkpoint_cost(scenario, platform);
    const Seconds mtbf = cluster_mtbf(spec.failures);
    spec.interval = failures.checkpoint.interval_s ? Seconds(*failures.checkpoint.interval_s)
                    : failures.checkpoint.daly     ? daly_interval(spec.checkpoint.pause, mtbf)
                                                   : young_interval(spec.checkpoint.pause, mtbf);
    spec.interval = std::max({spec.interval, step, spec.checkpoint.until_durable});
    spec.detection = Seconds(failures.detection_s);
    spec.restart = spec.regrouping = Seconds(failures.restart_s);
    spec.spare_nodes = failures.spare_nodes;
    spec.repair = Seconds(failures.repair_h * kHour);
    // Replicas that can be spared without their experts being lost.
    spec.replicas = placement.ranks() / placement.pp / placement.expert_shards();
    spec.elastic = failures.elastic;
    spec.seed = failures.seed;
    return spec;
}

void note_goodput(Run& run, const Scenario& scenario, const Platform& platform) {
    const GoodputSpec spec = goodput_spec(scenario, platform, Seconds(run.metrics.at("training.step_s")));
    const TrainingGoodput goodput = simulate_goodput(spec);
    const auto share = [&](Seconds time) { return time / spec.duration; };
    run.metrics["goodput.effective_share"] = goodput.goodput;
    run.metrics["goodput.interruptions"] = double(goodput.interruptions);
    run.metrics["goodput.mtbf_h"] = cluster_mtbf(spec.failures).si() / kHour;
    run.metrics["goodput.checkpoint_interval_s"] = spec.interval.si();
    run.metrics["goodput.checkpoint_pause_s"] = spec.checkpoint.pause.si();
    run.metrics["goodput.tokens_per_day"] = run.metrics.at("training.tokens_per_day") * goodput.goodput;
    run.metrics["goodput.lost_share"] = share(goodput.time.lost);
    run.metrics["goodput.checkpoint_share"] = share(goodput.time.checkpointing);
    run.metrics["goodput.restart_share"] = share(goodput.time.detecting + goodput.time.restarting);
    run.metrics["goodput.waiting_share"] = share(goodput.time.waiting + goodput.time.shrunk);
}

}  // namespace strata
