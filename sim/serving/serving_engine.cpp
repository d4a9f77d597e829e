#include "sim/serving/serving_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/placement/memory.hpp"
#include "sim/serving/request_trace.hpp"

namespace strata {

namespace {

// Doubling from `least`, ending at `most`.
std::vector<double> doubling(double least, double most) {
    std::vector<double> points;
    for (double at = least; at < most; at *= 2) points.push_back(at);
    points.push_back(std::max(least, most));
    return points;
}

Seconds step(const Scenario& scenario, Inputs& inputs) { return run_analytic(inputs.program_of(scenario)).makespan; }

// A step computes at least one sequence on every rank that has sequences of its own.
double least_batch(const Scenario& scenario) { return scenario.placement.dp * scenario.placement.batches(); }

std::vector<Request> requests_of(const ServingWorkload& serving) {
    return serving.trace.empty() ? synthetic_requests(serving.arrivals) : read_request_trace(serving.trace);
}

int most_context_of(const std::vector<Request>& requests) {
    int most = 1;
    for (const Request& request : requests) most = std::max(most, request.input_tokens + request.output_tokens);
    return most;
}

void note(Run& run, const std::string& name, const Percentiles& of) {
    run.metrics[fmt::format("serving.{}_ms", name)] = to_ms(of.mean);
    run.metrics[fmt::format("serving.{}_p50_ms", name)] = to_ms(of.p50);
    run.metrics[fmt::format("serving.{}_p90_ms", name)] = to_ms(of.p90);
    run.metrics[fmt::format("serving.{}_p99_ms", name)] = to_ms(of.p99);
}

Run run_of(const ServingMetrics& metrics) {
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
    run.metrics["serving.utilisation"] = metrics.pool.utilisation;
    run.metrics["serving.queue"] = metrics.pool.queue_mean;
    run.metrics["serving.batch"] = metrics.pool.batch_mean;
    return run;
}

}  // namespace

// Tables ask by the mean context of a sequence, a batch's tokens by its number of sequences.
StepTimes step_times_of(const Scenario& scenario, Inputs& inputs, int most_context) {
    Scenario decode = scenario, prefill = scenario;
    const double room = kv_capacity(scenario);  // shapes that need more never run
    const double least = least_batch(scenario), most = std::max<double>(least, scenario.serving->concurrency);
    decode.workload.prefill = false;
    const auto decodes = std::make_shared<StepTable>(StepTable::of(
        "decode times", doubling(least, most), doubling(64, most_context), [&](double batch, double context) {
            decode.workload.batch = batch;
            decode.workload.context = std::max(1.0, std::min(context, std::floor(room / batch) - 1));
            return step(decode, inputs);
        }));
    prefill.workload.prefill = true;
    prefill.workload.batch = least;
    std::vector<double> pasts = doubling(256, most_context);
    pasts.insert(pasts.begin(), 0);
    const double smallest = 16 * least, largest = std::max<double>(smallest, scenario.serving->step_tokens);
    const auto prefills = std::make_shared<StepTable>(
        StepTable::of("prefill times", doubling(smallest, largest), pasts, [&](double tokens, double past) {
            prefill.workload.prompt = tokens / least;
            prefill.workload.context = std::max(0.0, std::min(past, std::floor((room - tokens) / least) - 1));
            return step(prefill, inputs);
        }));
    return {.decode =
                [decodes](double batch, double context) {
                    const double mean = context / std::max(1.0, batch);
                    return decodes->at(std::clamp(batch, decodes->rows.front(), decodes->rows.back()),
                                       std::clamp(mean, decodes->columns.front(), decodes->columns.back()));
                },
            .prefill =
                [prefills](double tokens, double context) {
                    const double past = std::max(0.0, context - tokens / 2);
                    return prefills->at(std::clamp(tokens, prefills->rows.front(), prefills->rows.back()),
                                        std::min(past, prefills->columns.back()));
                }};
}

double kv_capacity(const Scenario& scenario) {
    if (scenario.placement.kv != Tier::hbm)
        throw InputError("placement.kv.tier", "hbm: serving keeps the KV of running sequences there",
                         std::string(to_string(scenario.placement.kv)));
    Scenario empty = scenario;
    empty.workload = {.batch = least_batch(scenario), .context = 0};
    const SystemSpec& system = scenario.platform.system;
    const MemoryUse use = memory_use(empty, static_cast<int>(system.accelerators_per_node.get()));
    const Bytes fixed = use.weights + use.experts + use.engram;  // the share left to the runtime has room for the rest
    const Bytes room = scenario.platform.accelerator.memory_capacity.get() * scenario.serving->memory_share - fixed;
    if (room <= Bytes(0))
        throw InputError("placement",
                         fmt::format("weights that leave room for KV in {:.0f} % of the HBM of {}",
                                     100 * scenario.serving->memory_share, system.name),
                         fmt::format("{:.1f} GB of weights, experts and tables", to_GB(fixed)));
    return room / Bytes(kv_bytes_per_token(scenario.model)) * scenario.placement.dp * scenario.placement.pp;
}

Run run_serving(const Scenario& scenario, Inputs& inputs) {
    const ServingWorkload& serving = *scenario.serving;
    const std::vector<Request> requests = requests_of(serving);
    ServingSpec spec;
    spec.pool.replicas = serving.replicas;
    spec.pool.replica = {.accelerators = scenario.placement.ranks(),
                         .max_batch = serving.concurrency,
                         .step_tokens = serving.step_tokens,
                         .kv_tokens = kv_capacity(scenario),
                         .batching = serving.batching,
                         .prefill_order = serving.prefill,
                         .preemption = serving.preemption,
                         .drafts = DraftAcceptance(serving.acceptance, serving.arrivals.seed),
                         .times = step_times_of(scenario, inputs, most_context_of(requests))};
    if (serving.trace.empty() && serving.arrivals.per_second == 0) spec.users = serving.concurrency * serving.replicas;
    spec.prefix_cache_tokens = serving.prefix_cache_tokens;
    spec.limits = serving.limits;
    return run_of(simulate_serving(spec, requests).metrics);
}

}  // namespace strata
