#include "sim/serving/serving_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/failure/serving_failures.hpp"
#include "sim/placement/memory.hpp"
#include "sim/result/economics.hpp"
#include "sim/scenario/serving_pools.hpp"
#include "sim/serving/request_trace.hpp"
#include "sim/serving/step_pricing.hpp"

namespace strata {

namespace {

// The scenario as it is for one kind of replica.
Scenario with_placement(Scenario scenario, const ServingPool& pool) {
    scenario.placement = pool.placement;
    scenario.serving->replicas = pool.replicas;
    scenario.serving->concurrency = pool.concurrency;
    scenario.serving->step_tokens = pool.step_tokens;
    scenario.serving->pools.reset();
    return scenario;
}

std::vector<Request> requests_of(const ServingWorkload& serving) {
    return serving.trace.empty() ? synthetic_requests(serving.arrivals) : read_request_trace(serving.trace);
}

int drafts_of(const ServingWorkload& serving) { return static_cast<int>(serving.acceptance.size()); }

Bandwidth of_drives(const PlatformSpec& platform) {
    return present(platform.nvme, platform.system, "nvme").bandwidth.get() * platform.system.nvme_units.get();
}

// KV of one sequence over the links of the ranks that hold it: each of the pipeline's stages sends its layers, tensor
// ranks hold the same latent entries and one of them sends.
KvLink kv_over(const Scenario& scenario, const LinkSpec& link) {
    return {.per_token = Bytes(kv_bytes_per_token(scenario.model)),
            .bandwidth = link.effective_bandwidth.get() * scenario.placement.pp,
            .latency = link.latency.get()};
}

// Cached prefixes come over the bus of the accelerator, from drives as fast as those of the node read.
KvLink prefix_link_of(const Scenario& scenario) {
    const PlatformSpec& platform = scenario.platform;
    if (scenario.serving->prefix_tier == Tier::hbm) return {};
    KvLink link = kv_over(scenario, present(platform.host_link, platform.system, "host_link"));
    if (scenario.serving->prefix_tier != Tier::nvme) return link;
    link.bandwidth = std::min(link.bandwidth, of_drives(platform));
    link.latency += present(platform.nvme, platform.system, "nvme").read_latency.get();
    return link;
}

// HBM holds cached prefixes of all replicas in their room for KV, each its part.
double kv_beside_prefixes(const Scenario& scenario) {
    const ServingWorkload& serving = *scenario.serving;
    if (serving.prefix_tier != Tier::hbm) return kv_capacity(scenario);
    const double left = kv_capacity(scenario) - serving.prefix_cache_tokens / serving.replicas;
    if (left <= 0)
        throw InputError("workload.prefixes.cache_tokens",
                         fmt::format("at most the {:.0f} tokens of KV for which there is room in HBM",
                                     kv_capacity(scenario) * serving.replicas),
                         fmt::format("{:.0f}", serving.prefix_cache_tokens));
    return left;
}

double window_tokens_of(const Model& model) {
    return window_bytes(model, model.attention.window) / kv_bytes_per_token(model);
}

ReplicaSpec replica_of(const Scenario& scenario, const StepPricing& pricing, double kv_tokens) {
    const ServingWorkload& serving = *scenario.serving;
    ReplicaSpec replica{.accelerators = scenario.placement.ranks(),
                        .groups = scenario.placement.dp,
                        .wait_steps = serving.server.wait_steps,
                        .max_batch = serving.concurrency,
                        .step_tokens = serving.step_tokens,
                        .kv_tokens = kv_tokens,
                        .window_tokens = window_tokens_of(scenario.model),
                        .batching = serving.batching,
                        .prefill_order = serving.prefill,
                        .preemption = serving.preemption,
                        .host_time = serving.server.step,
                        .host_overlaps = serving.server.overlaps,
                        .launch_time = serving.server.launch,
                        .first_step = serving.server.first_step,
                        .times = pricing.times()};
    if (serving.preemption == Preemption::swap)
        replica.host_link =
            kv_over(scenario, present(scenario.platform.host_link, scenario.platform.system, "host_link"));
    return replica;
}

struct Extent {
    int shortest_input = 1, most_context = 1;
};

Extent extent_of(const std::vector<Request>& requests) {
    Extent extent{.shortest_input = requests.empty() ? 1 : requests.front().input_tokens, .most_context = 1};
    for (const Request& request : requests) {
        extent.shortest_input = std::min(extent.shortest_input, request.input_tokens);
        extent.most_context = std::max(extent.most_context, request.input_tokens + request.output_tokens);
    }
    return extent;
}

StepPricing pricing_of(const Scenario& scenario, Inputs& inputs, const Extent& extent, double kv_tokens) {
    return StepPricing(scenario, inputs,
                       {.batch = double(scenario.serving->concurrency),
                        .step_tokens = double(scenario.serving->step_tokens),
                        .context = double(extent.most_context),
                        .kv_tokens = kv_tokens},
                       drafts_of(*scenario.serving));
}

// A limit below what the shortest request takes with the server to itself is met by no batch.
void check_limits(const ServingWorkload& serving, const Extent& extent, const StepPricing& prefill,
                  const StepPricing& decode) {
    const auto check = [](const char* field, Seconds limit, Seconds least, const char* what) {
        if (limit < least)
            throw InputError(field, fmt::format("at least {:.1f} ms: {} takes that alone", to_ms(least), what),
                             fmt::format("{:g} ms, which no batch meets", to_ms(limit)));
    };
    check("workload.ttft_limit_ms", serving.limits.ttft,
          std::max(prefill.prefill_alone(extent.shortest_input), serving.server.launch), "the shortest prompt");
    check("workload.tpot_limit_ms", serving.limits.tpot,
          decode.decode_alone(extent.shortest_input) / DraftAcceptance(serving.acceptance).mean_tokens_per_step(),
          "a token behind the shortest prompt");
}

// Experts of a lost rank are read again by the others from host memory, each its part over its own bus.
ExpertReplication replication_of(const Scenario& scenario) {
    const FailingRanks& failing = *scenario.serving->failures;
    const auto ranks_of_a_node = static_cast<int>(scenario.platform.system.accelerators_per_node.get());
    Scenario empty = scenario;
    empty.workload = {.batch = least_batch(scenario), .context = 0};
    const LinkSpec& bus = present(scenario.platform.host_link, scenario.platform.system, "host_link");
    const bool in_hbm = scenario.placement.experts == Tier::hbm;
    return {.lost = in_hbm ? memory_use(empty, ranks_of_a_node).experts : Bytes(0),
            .bandwidth = bus.effective_bandwidth.get() * std::max(1, scenario.placement.ranks() - 1),
            .detection = failing.detection,
            .repair = failing.repair};
}

int ranks_of(const ServingSpec& spec) {
    const auto of = [](const ReplicaPool& pool) { return pool.replicas * pool.replica.accelerators; };
    return of(spec.pool) + (spec.decode ? of(spec.decode->pool) : 0);
}

// How long a run lasts is known only at its end: failures are drawn for longer until they cover it.
ServingRun run_with_failures(ServingSpec& spec, const std::vector<Request>& requests, const Scenario& scenario) {
    const double hours = scenario.serving->failures->mtbf_hours;
    const std::vector<FailureSource> sources{
        {.name = "accelerator", .parts = double(ranks_of(spec)), .mtbf = Seconds(3600 * hours)}};
    const ExpertReplication replication = replication_of(scenario);
    for (Seconds horizon = simulate_serving(spec, requests).metrics.duration;; horizon = horizon * 2.0) {
        spec.failures = rank_failures(sources, spec, replication, horizon, scenario.serving->arrivals.seed);
        ServingRun run = simulate_serving(spec, requests);
        if (run.metrics.duration <= horizon) return run;
    }
}

// Of all time of all ranks, what failures left. A rank that failed again before it was back is counted twice, at most.
double availability_of(const ServingSpec& spec, Seconds duration) {
    Seconds down;
    for (const RankFailure& failure : spec.failures)
        if (failure.at < duration) down += std::min(failure.repaired, duration - failure.at);
    return std::max(0.0, 1 - down / (duration * double(ranks_of(spec))));
}

void note(Run& run, const std::string& name, const Percentiles& of) {
    run.metrics[fmt::format("serving.{}_ms", name)] = to_ms(of.mean);
    run.metrics[fmt::format("serving.{}_p50_ms", name)] = to_ms(of.p50);
    run.metrics[fmt::format("serving.{}_p90_ms", name)] = to_ms(of.p90);
    run.metrics[fmt::format("serving.{}_p99_ms", name)] = to_ms(of.p99);
}

Run run_of(const ServingMetrics& metrics, const ServingSpec& spec) {
    Run run;
    run.engine = "analytic";
    note(run, "ttft", metrics.ttft);
    note(run, "tpot", metrics.tpot);
    note(run, "itl", metrics.itl);
    note(run, "end_to_end", metrics.end_to_end);
    run.metrics["serving.requests_per_s"] = metrics.requests_per_second;
    run.metrics["serving.output_tokens_per_s"] = metrics.output_tokens_per_second;
    run.metrics["serving.output_tokens_per_s_per_accelerator"] = metrics.output_tokens_per_accelerator;
    run.metrics["serving.tokens_per_s_per_accelerator"] = metrics.tokens_per_accelerator;
    run.metrics["serving.tokens_per_s_per_user"] = metrics.tokens_per_user;
    run.metrics["serving.goodput_per_s"] = metrics.goodput;
    run.metrics["serving.served_well"] = metrics.served_well;
    run.metrics["serving.prefix_hits"] = metrics.prefix_hits;
    run.metrics["serving.preemptions"] = double(metrics.preemptions);
    run.metrics["serving.failures"] = double(std::count_if(spec.failures.begin(), spec.failures.end(),
                                                           [&](const auto& f) { return f.at < metrics.duration; }));
    run.metrics["serving.losses"] = double(metrics.losses);
    run.metrics["serving.recomputed_tokens"] = double(metrics.recomputed_tokens);
    run.metrics["serving.availability"] = availability_of(spec, metrics.duration);
    run.metrics["serving.utilisation"] = metrics.pool.utilisation;
    run.metrics["serving.queue"] = metrics.pool.queue_mean;
    run.metrics["serving.batch"] = spec.decode ? metrics.decode_pool.batch_mean : metrics.pool.batch_mean;
    if (!spec.decode) return run;
    run.metrics["serving.decode_utilisation"] = metrics.decode_pool.utilisation;
    run.metrics["serving.decode_queue"] = metrics.decode_pool.queue_mean;
    return run;
}

// The time of all steps that were taken, by how their kernels' times are known.
void note_origins(Run& run, const StepPricing& pricing, const StepPricing* decode) {
    pricing.add_time_by_origin(run.share_of_compute);
    if (decode) decode->add_time_by_origin(run.share_of_compute);
    double all = 0;
    for (const auto& [origin, seconds] : run.share_of_compute) all += seconds;
    for (auto& [origin, share] : run.share_of_compute) share /= all;
}

// Means over the steps that were taken; one that decodes and computes prompts counts as two.
void note_balance(Run& run, const StepPricing& pricing, const StepPricing* decode) {
    BalanceOfSteps sum;
    pricing.add_balance(sum);
    if (decode) decode->add_balance(sum);
    if (sum.steps <= 0) return;
    run.metrics["moe.load_max_over_mean"] = sum.balance.load_max_over_mean / sum.steps;
    run.metrics["moe.straggler_ms"] = to_ms(sum.straggling / sum.steps);
    run.metrics["moe.ranks_per_token"] = sum.balance.ranks_of_a_token / sum.steps;
    run.metrics["moe.nodes_per_token"] = sum.balance.nodes_of_a_token / sum.steps;
}

void note_economics(Run& run, const Scenario& scenario, const ServingSpec& spec, const ServingMetrics& metrics) {
    const double accelerators = ranks_of(spec);
    double busy = metrics.pool.utilisation;
    if (spec.decode) {
        const double first = double(spec.pool.replicas) * spec.pool.replica.accelerators;
        busy = (busy * first + metrics.decode_pool.utilisation * (accelerators - first)) / accelerators;
    }
    add_economics(run, scenario,
                  {.accelerators = accelerators,
                   .tokens_per_s = metrics.output_tokens_per_second,
                   .all_tokens_per_s = metrics.tokens_per_accelerator * accelerators,
                   .busy = busy});
}

// The scenario itself, once it is known to fit.
const Scenario& fitting(const Scenario& scenario) {
    check_serving_fits(scenario);
    return scenario;
}

}  // namespace

double kv_capacity(const Scenario& scenario) {
    if (scenario.placement.kv != Tier::hbm)
        throw InputError("placement.kv.tier", "hbm: serving keeps the KV of running sequences there",
                         std::string(to_string(scenario.placement.kv)));
    Scenario empty = scenario;
    empty.workload = {.batch = least_batch(scenario), .context = 0};
    const SystemSpec& system = scenario.platform.system;
    const MemoryUse use = memory_use(empty, static_cast<int>(system.accelerators_per_node.get()));
    const Bytes drafters =
        scenario.serving->acceptance.empty() ? Bytes(0) : weight_bytes(scenario.model).mtp / scenario.placement.ranks();
    // The share left to the runtime has room for the rest.
    const Bytes held = use.weights + use.experts + use.engram + drafters;
    const Bytes room = scenario.platform.accelerator.memory_capacity.get() * scenario.serving->memory_share - held;
    if (room <= Bytes(0))
        throw InputError("placement",
                         fmt::format("weights that leave room for KV in {:.0f} % of the HBM of {}",
                                     100 * scenario.serving->memory_share, system.name),
                         fmt::format("{:.1f} GB of weights, experts and tables", to_GB(held)));
    return room / Bytes(kv_bytes_per_token(scenario.model)) * scenario.placement.dp * scenario.placement.pp;
}

void check_serving_fits(const Scenario& scenario) {
    const SystemSpec& system = scenario.platform.system;
    const double there = system.nodes.get() * system.accelerators_per_node.get();
    if (!scenario.serving->pools) {
        kv_capacity(scenario);
        return;
    }
    const ServingPools& pools = *scenario.serving->pools;
    double ranks = 0;
    for (const ServingPool* pool : {&pools.prefill, &pools.decode}) {
        kv_capacity(with_placement(scenario, *pool));
        ranks += double(pool->replicas) * pool->placement.ranks();
    }
    if (ranks > there)
        throw InputError("workload.pools",
                         fmt::format("at most the {:.0f} accelerators of {} nodes of {} in both pools", there,
                                     system.nodes.get(), system.name),
                         fmt::format("{:.0f}", ranks));
}

PricedReplicas priced_replicas(const Scenario& scenario, Inputs& inputs, const std::vector<Request>& requests) {
    const ServingWorkload& serving = *scenario.serving;
    const double kv_tokens = kv_beside_prefixes(scenario);
    PricedReplicas priced{pricing_of(scenario, inputs, extent_of(requests), kv_tokens), {}};
    priced.spec.pool = {.replica = replica_of(scenario, priced.pricing, kv_tokens), .replicas = serving.replicas};
    priced.spec.pool.replica.prefix_link = prefix_link_of(scenario);
    priced.spec.pool.replica.drafts = DraftAcceptance(serving.acceptance, serving.arrivals.seed);
    priced.spec.prefix_cache_tokens = serving.prefix_cache_tokens;
    return priced;
}

ServingDeployment::ServingDeployment(const Scenario& scenario, Inputs& inputs)
    : scenario_(fitting(scenario)),
      first_(scenario.serving->pools ? with_placement(scenario, scenario.serving->pools->prefill) : scenario),
      second_(scenario.serving->pools ? with_placement(scenario, scenario.serving->pools->decode) : scenario),
      requests_(requests_of(*scenario.serving)),
      kv_tokens_(kv_beside_prefixes(first_)),
      pricing_(pricing_of(first_, inputs, extent_of(requests_), kv_tokens_)),
      decode_pricing_(scenario.serving->pools ? pricing_of(second_, inputs, extent_of(requests_), kv_capacity(second_))
                                              : pricing_) {
    check_limits(*scenario_.serving, extent_of(requests_), pricing_, decode_pricing_);
}

ServingSpec ServingDeployment::spec_of() const {
    const ServingWorkload& serving = *scenario_.serving;
    ServingSpec spec;
    spec.pool = {.replica = replica_of(first_, pricing_, kv_tokens_), .replicas = first_.serving->replicas};
    spec.pool.replica.prefix_link = prefix_link_of(first_);
    if (serving.pools) {
        const PlatformSpec& platform = scenario_.platform;
        const bool up = serving.pools->over_scale_up;
        const LinkSpec& link = present(up ? platform.scale_up_link : platform.scale_out_link, platform.system,
                                       up ? "scale_up_link" : "scale_out_link");
        spec.decode = {.pool = {.replica = replica_of(second_, decode_pricing_, kv_capacity(second_)),
                                .replicas = second_.serving->replicas},
                       .link = kv_over(first_, link),
                       .delivers_first = serving.pools->decode_answers};
    }
    (spec.decode ? spec.decode->pool : spec.pool).replica.drafts =
        DraftAcceptance(serving.acceptance, serving.arrivals.seed);
    if (serving.trace.empty() && serving.arrivals.per_second == 0)
        spec.users = second_.serving->concurrency * second_.serving->replicas;
    spec.prefix_cache_tokens = serving.prefix_cache_tokens;
    spec.limits = serving.limits;
    return spec;
}

Run ServingDeployment::run_at(double requests_per_second) {
    scenario_.serving->arrivals.per_second = requests_per_second;
    requests_ = requests_of(*scenario_.serving);
    return run();
}

Run ServingDeployment::run() {
    const ServingWorkload& serving = *scenario_.serving;
    ServingSpec spec = spec_of();
    const ServingRun result =
        serving.failures ? run_with_failures(spec, requests_, second_) : simulate_serving(spec, requests_);
    Run run = run_of(result.metrics, spec);
    if (serving.trace.empty() && serving.arrivals.per_second > 0)
        run.metrics["workload.rate"] = serving.arrivals.per_second;
    run.metrics["workload.concurrency"] = second_.serving->concurrency;
    note_origins(run, pricing_, serving.pools ? &decode_pricing_ : nullptr);
    if (scenario_.routing) note_balance(run, pricing_, serving.pools ? &decode_pricing_ : nullptr);
    note_economics(run, scenario_, spec, result.metrics);
    return run;
}

Run run_serving(const Scenario& scenario, Inputs& inputs) { return ServingDeployment(scenario, inputs).run(); }

}  // namespace strata
