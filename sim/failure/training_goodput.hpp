// How much of a long training run is progress: work, checkpoints, failures, restarts, spares and shrinking, as events
// in time.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/failure/checkpoint.hpp"
#include "sim/failure/failure_process.hpp"

namespace strata {

struct GoodputSpec {
    std::vector<FailureSource> failures;
    Seconds duration{};
    Seconds interval{};  // of work between checkpoints
    CheckpointCost checkpoint{};
    Seconds detection{};  // from a failure to its notice
    Seconds restart{};    // of the job, besides reading the checkpoint
    int spare_nodes = 0;  // that take the place of broken ones
    Seconds repair{};     // of a broken node, which is then a spare
    // Data-parallel replicas. Without a spare an elastic job goes on with one replica fewer until a repair, when it
    // grows again; another waits for the repair.
    int replicas = 1;
    bool elastic = false;
    Seconds regrouping{};  // pause to grow
    std::uint64_t seed = 0;
};

// All of the duration is one of these.
struct GoodputShares {
    Seconds useful;  // work, in seconds of the full job, that no failure took
    Seconds lost;    // work done again
    Seconds checkpointing;
    Seconds detecting;
    Seconds restarting;  // and regrouping
    Seconds waiting;     // for a repair
    Seconds shrunk;      // what missing replicas did not do
    Seconds sum() const { return useful + lost + checkpointing + detecting + restarting + waiting + shrunk; }
};

struct TrainingGoodput {
    GoodputShares time;
    long long interruptions = 0;
    double goodput = 0;  // useful time over duration; Meta's and ByteDance's "effective training time"
};

// Throws InputError that names the field.
TrainingGoodput simulate_goodput(const GoodputSpec& spec);

}  // namespace strata
