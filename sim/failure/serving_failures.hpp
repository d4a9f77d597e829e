// Rank failures of a serving system, from the failure process of its accelerators and hosts.
#pragma once

#include <vector>

#include "sim/failure/failure_process.hpp"
#include "sim/serving/serving.hpp"

namespace strata {

// What a lost rank's experts cost to have again: copies from ranks that hold them, or from host memory.
struct ExpertReplication {
    Bytes lost{};           // experts of one rank
    Bandwidth bandwidth{};  // at which they are copied, all senders together
    Seconds detection{};
    Seconds repair{};  // until the rank is back

    Seconds pause() const { return lost > Bytes(0) ? detection + lost / bandwidth : detection; }
};

// Those up to `duration`. A failed part takes with it the rank that its number falls on, over both pools; one replica
// in a row of ranks after the other.
std::vector<RankFailure> rank_failures(const std::vector<FailureSource>& sources, const ServingSpec& serving,
                                       const ExpertReplication& replication, Seconds duration, std::uint64_t seed);

}  // namespace strata
