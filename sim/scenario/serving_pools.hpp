// Prefill and decode apart (DistServe, OSDI'24): replicas of two placements, and the link over which KV goes from one
// to the other.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace strata {

struct ServingPool {
    Placement placement;
    int replicas = 1;
    int concurrency = 1;     // sequences of a replica at most
    int step_tokens = 8192;  // token budget of a step
};

struct ServingPools {
    ServingPool prefill, decode;
    bool over_scale_up = false;   // else over the scale-out link
    bool decode_answers = false;  // the first token, too, comes from the decode replica, when it has the KV
};

// `routing`: the scenario has one.
ServingPools read_pools(const YamlField& field, bool routing);

}  // namespace strata
