#include "sim/failure/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/input_error.hpp"

namespace strata {

Seconds CheckpointTarget::time() const {
    if (!(rank_bandwidth > Bandwidth(0)) || (shared_bandwidth && !(*shared_bandwidth > Bandwidth(0))) || ranks < 1)
        throw InputError("checkpoint", "at least one rank and bandwidths above 0",
                         fmt::format("{} ranks, {} B/s", ranks, rank_bandwidth.si()));
    Seconds moving = of_rank / rank_bandwidth;
    if (shared_bandwidth) moving = std::max(moving, of_rank * ranks / *shared_bandwidth);
    return latency + moving;
}

CheckpointCost blocking_checkpoint(const CheckpointTarget& target) {
    return {.pause = target.time(), .until_durable = Seconds(0), .restore = target.time()};
}

CheckpointCost staged_checkpoint(const CheckpointTarget& staging, const CheckpointTarget& target) {
    return {.pause = staging.time(), .until_durable = target.time(), .restore = target.time()};
}

Seconds young_interval(Seconds pause, Seconds mtbf) { return Seconds(std::sqrt(2 * pause.si() * mtbf.si())); }

Seconds daly_interval(Seconds pause, Seconds mtbf) {
    if (pause >= 2 * mtbf) return mtbf;
    const double ratio = pause / (2 * mtbf);
    return young_interval(pause, mtbf) * (1 + std::sqrt(ratio) / 3 + ratio / 9) - pause;
}

double expected_efficiency(Seconds work, Seconds pause, Seconds restart, Seconds mtbf) {
    return work / mtbf / (std::exp(restart / mtbf) * std::expm1((work + pause) / mtbf));
}

}  // namespace strata
