// What users and operators ask of a serving system. docs/metrics.md defines each and says how others differ.
#pragma once

#include <vector>

#include "hwmodels/units.hpp"
#include "sim/serving/gap_histogram.hpp"
#include "sim/serving/request.hpp"
#include "sim/serving/request_record.hpp"

namespace strata {

struct Percentiles {
    Seconds mean, p50, p90, p99;
};
// By nearest rank: the smallest value that so many percent are no larger than. Zeros of an empty list.
Percentiles percentiles_of(std::vector<double> seconds);

// A request is served well if both hold.
struct LatencyLimits {
    Seconds ttft{1e30}, tpot{1e30};
};

struct PoolMetrics {
    int accelerators = 0;
    double utilisation = 0;  // share of the duration in which a replica computes a step, mean over replicas
    double queue_mean = 0;   // requests that wait, all replicas together
    int queue_most = 0;      // of the replica where it was longest
    double batch_mean = 0;   // tokens that a decode step delivers
};

struct ServingMetrics {
    Seconds duration;  // from the first arrival to the last token
    Percentiles ttft, tpot, itl, end_to_end;
    double requests_per_second = 0;
    double output_tokens_per_second = 0;
    double output_tokens_per_accelerator = 0;  // and second
    double tokens_per_accelerator = 0;         // input and output, and second
    double tokens_per_user = 0;                // and second: 1 / TPOT p50
    double goodput = 0;                        // requests a second that met the limits
    double served_well = 0;                    // share of requests
    double prefix_hits = 0;                    // share of input tokens
    long long input_tokens = 0, output_tokens = 0;
    long long preemptions = 0, losses = 0;
    long long recomputed_tokens = 0;  // of prompts and answers whose KV was lost or had to make room
    PoolMetrics pool, decode_pool;    // the latter zeros where there is none
};

// All but the pools, from what became of each request. Throws std::logic_error where a request did not end.
ServingMetrics metrics_of(const std::vector<Request>& requests, const std::vector<RequestRecord>& records,
                          const GapHistogram& gaps, const LatencyLimits& limits, int accelerators);

}  // namespace strata
