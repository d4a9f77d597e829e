// What a scenario of kind `serving` asks for: requests that arrive, instead of one step. Its placement is one replica,
// whose steps take what the analytic engine says of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hwmodels/yaml_field.hpp"
#include "sim/serving/arrivals.hpp"
#include "sim/serving/replica.hpp"
#include "sim/serving/serving_metrics.hpp"

namespace strata {

struct ServingWorkload {
    ArrivalSpec arrivals;  // of no requests where there is a trace
    std::string trace{};   // a file; empty: none
    int concurrency = 1;   // sequences of a replica at most; without a rate: users of each in a closed loop
    int replicas = 1;
    int step_tokens = 8192;
    Batching batching = Batching::continuous;
    PrefillOrder prefill = PrefillOrder::chunked;
    Preemption preemption = Preemption::recompute;
    std::vector<double> acceptance{};  // of each drafted token, the ones before it accepted
    double prefix_cache_tokens = 0;
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
