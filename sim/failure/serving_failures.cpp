#include "sim/failure/serving_failures.hpp"

#include <fmt/format.h>

#include "hwmodels/input_error.hpp"

namespace strata {

std::vector<RankFailure> rank_failures(const std::vector<FailureSource>& sources, const ServingSpec& serving,
                                       const ExpertReplication& replication, Seconds duration, std::uint64_t seed) {
    if (replication.lost > Bytes(0) && !(replication.bandwidth > Bandwidth(0)))
        throw InputError("replication.bandwidth", "above 0", fmt::format("{}", replication.bandwidth.si()));
    if (replication.repair < replication.pause())
        throw InputError("replication.repair", "no earlier than the end of the pause",
                         fmt::format("{} s", replication.repair.si()));
    const auto ranks_of = [](const ReplicaPool& pool) { return pool.replicas * pool.replica.accelerators; };
    const int first = ranks_of(serving.pool), all = first + (serving.decode ? ranks_of(serving.decode->pool) : 0);
    FailureProcess process(sources, seed);
    std::vector<RankFailure> failures;
    for (Failure failure = process.next(); failure.at <= duration; failure = process.next()) {
        // A source of fewer parts than ranks (hosts) is spread over them.
        const double share = double(failure.part) / sources[failure.source].parts;
        const int rank = static_cast<int>(share * all);
        const bool decodes = rank >= first;
        const int in_pool = decodes ? rank - first : rank;
        const int of_replica = (decodes ? serving.decode->pool : serving.pool).replica.accelerators;
        failures.push_back({.at = failure.at,
                            .in_decode_pool = decodes,
                            .replica = in_pool / of_replica,
                            .rank = in_pool % of_replica,
                            .pause = replication.pause(),
                            .repaired = replication.repair});
    }
    return failures;
}

}  // namespace strata
