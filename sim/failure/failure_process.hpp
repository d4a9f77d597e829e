// When parts of a cluster fail: each source is so many alike parts with a mean time between failures. Exponential
// unless a Weibull shape is given: below 1 parts fail early (infant mortality), above 1 they wear out.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "hwmodels/units.hpp"
#include "sim/workload/random_stream.hpp"

namespace strata {

struct FailureSource {
    std::string name;  // "accelerator", "host", "switch", "NIC", "software"
    double parts = 0;  // of them in the cluster, all new at time zero
    Seconds mtbf{};    // of one
    double weibull_shape = 1;
    bool breaks_node = true;  // which must be repaired before it serves again; software does not
};

// Of the whole, in the long run: 1 / sum of parts / MTBF. Throws InputError without any source.
Seconds cluster_mtbf(const std::vector<FailureSource>& sources);

struct Failure {
    Seconds at;
    std::size_t source = 0;
    std::uint64_t part = 0;  // of the source
};

// Failures of all sources in order of time, without end. A part that fails is replaced by a new one at once.
class FailureProcess {
public:
    // Throws InputError that names the source.
    FailureProcess(const std::vector<FailureSource>& sources, std::uint64_t seed);
    Failure next();

private:
    struct Later {
        bool operator()(const Failure& a, const Failure& b) const { return a.at > b.at; }
    };
    void draw(std::size_t source, std::uint64_t part, Seconds after);

    std::vector<FailureSource> sources_;
    RandomStream random_;
    // Of an exponential source its next failure, of a Weibull source the next of each part.
    std::priority_queue<Failure, std::vector<Failure>, Later> upcoming_;
};

}  // namespace strata
