// Serving at the level of requests: replicas of a model, together or split into pools for prefill and decode, take
// requests as they arrive. A discrete-event simulation whose events are steps, arrivals, transfers of KV and failures.
#pragma once

#include <optional>
#include <vector>

#include "sim/serving/replica.hpp"
#include "sim/serving/serving_metrics.hpp"

namespace strata {

struct ReplicaPool {
    ReplicaSpec replica;
    int replicas = 1;
};

// Decode in replicas of its own (DistServe, OSDI'24): KV follows the first token there, over the prefill replica's
// link, one transfer after the other.
struct DecodePool {
    ReplicaPool pool;
    KvLink link;
    bool delivers_first = false;  // users get the first token from here, when the KV has come, not from prefill
};

// A rank stops: the replica's step is lost and it stands still while that is noticed and the experts the rank held are
// copied to others; until repair it goes on with a rank less, slower and with less room for KV.
struct RankFailure {
    Seconds at;
    bool in_decode_pool = false;
    int replica = 0;
    int rank = 0;
    Seconds pause{};     // detection and expert re-replication
    Seconds repaired{};  // after `at`
};

struct ServingSpec {
    ReplicaPool pool;  // does all, or prefill alone where there is a decode pool
    std::optional<DecodePool> decode;
    // A closed loop of so many users, each of whom asks again when its answer has ended: arrivals are then not those of
    // the requests. 0: an open loop.
    int users = 0;
    double prefix_cache_tokens = 0;  // capacity, shared by the replicas that do prefill; 0: no cache
    std::vector<RankFailure> failures;
    LatencyLimits limits;
};

struct ServingRun {
    std::vector<RequestRecord> records;  // of each request, in their order
    ServingMetrics metrics;
};

// `requests` in order of arrival. A request goes to the replica with the fewest outstanding. Throws InputError for a
// spec that makes no sense and for a request that no replica could ever hold.
ServingRun simulate_serving(const ServingSpec& spec, const std::vector<Request>& requests);

}  // namespace strata
