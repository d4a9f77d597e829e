// What a checkpoint costs and how often to take one.
#pragma once

#include <optional>

#include "hwmodels/units.hpp"

namespace strata {

// Where a checkpoint goes: host memory, drives of the node, storage across the network.
struct CheckpointTarget {
    Bytes of_rank{};  // that a rank writes
    int ranks = 1;
    Bandwidth rank_bandwidth{};                   // of each rank's own way there
    std::optional<Bandwidth> shared_bandwidth{};  // of all ranks together; null: each way is its own
    Seconds latency{};

    // All ranks write or read at the same time; the slower of the two ways decides. Throws InputError without
    // bandwidth.
    Seconds time() const;
};

struct CheckpointCost {
    Seconds pause;          // while the job stands still
    Seconds until_durable;  // from the end of the pause until a failure cannot take it any more
    Seconds restore;
};

// Written while the job waits.
CheckpointCost blocking_checkpoint(const CheckpointTarget& target);
// Copied to `staging` while the job waits, and from there to `target` beside the work.
CheckpointCost staged_checkpoint(const CheckpointTarget& staging, const CheckpointTarget& target);

// The work between checkpoints that loses least, for a pause and an MTBF of the whole job.
// Young (CACM 1974): sqrt(2 pause MTBF).
Seconds young_interval(Seconds pause, Seconds mtbf);
// Daly (FGCS 2006), eq. 37: sqrt(2 pause MTBF) [1 + 1/3 sqrt(pause / 2 MTBF) + 1/9 pause / 2 MTBF] - pause where
// pause < 2 MTBF, else MTBF.
Seconds daly_interval(Seconds pause, Seconds mtbf);
// Share of the time that is useful work (Daly, eq. 20): failures are exponential and may strike in pauses and restarts.
//   work / (MTBF exp(restart / MTBF) (exp((work + pause) / MTBF) - 1))
double expected_efficiency(Seconds work, Seconds pause, Seconds restart, Seconds mtbf);

}  // namespace strata
