// What a scenario of kind `serving` asks for: requests that arrive, instead of one step. Its placement is one replica,
// whose steps take what the analytic engine says of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hwmodels/yaml_field.hpp"
#include "sim/scenario/assertion.hpp"
#include "sim/serving/arrivals.hpp"
#include "sim/serving/replica.hpp"
#include "sim/serving/serving_metrics.hpp"

namespace strata {

enum class Tier;
struct ServingPools;

// What the server's host adds to the kernels. All zero: a host that is never waited for.
struct ServerTimes {
    Seconds step{};        // scheduling and sampling, of each step
    bool overlaps = true;  // with the step before (asynchronous scheduling)
    Seconds launch{};      // of all kernels of a step with prompts, which is not replayed from a graph
    int wait_steps = 0;    // at most, of a prompt, until every data-parallel group has one
    Seconds first_step{};  // what the first step with prompts takes more than others
};

// Accelerators that fail, each with this mean time between failures.
struct FailingRanks {
    double mtbf_hours = 0;
    Seconds detection{}, repair{};
};

struct ServingWorkload {
    ArrivalSpec arrivals;                                      // of no requests where there is a trace
    std::string trace{};                                       // a file; empty: none
    std::optional<Assertion> rate_with{}, concurrency_with{};  // one is to be found: the largest with which this holds
    int concurrency = 1;  // sequences of a replica at most; without a rate: users of each in a closed loop
    int replicas = 1;
    int step_tokens = 8192;
    Batching batching = Batching::continuous;
    PrefillOrder prefill = PrefillOrder::chunked;
    Preemption preemption = Preemption::recompute;
    std::vector<double> acceptance{};  // of each drafted token, the ones before it accepted
    double prefix_cache_tokens = 0;
    Tier prefix_tier{};                           // HBM: of the room for KV
    std::shared_ptr<const ServingPools> pools{};  // instead of the placement, `replicas`, `concurrency`, `step_tokens`
    std::optional<FailingRanks> failures{};
    ServerTimes server{};
    // Of the accelerator's memory, for weights and KV together; the rest is activations and the runtime. 0.9 is vLLM's
    // default (gpu_memory_utilization, its engine arguments).
    double memory_share = 0.9;
    LatencyLimits limits;
};

// The fields of a workload beside its kind that belong to serving.
const std::vector<std::string>& serving_fields();
// `file` is where a trace's relative path starts from.
ServingWorkload read_serving(const YamlField& workload, const std::string& file);

}  // namespace strata
