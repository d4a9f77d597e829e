// What the length of a step is made of: the chain of tasks in which each began when the one before it let it, from the
// step's end back to its begin, by family of ops and by how its time is known. A small change of a family's times
// changes the step by its share of this chain; what is hidden beside the chain changes nothing.
#pragma once

#include <string>
#include <vector>

#include "sim/workload/program.hpp"

namespace strata {

// Time on the critical path from one source of error: one family of ops, known in one way.
struct PathTime {
    std::string family;  // of the cost book; or "wire", "fetch", "host cores", "fabric", "pipeline fill", "waiting"
    std::string origin;  // "measured", "interpolated", ...
    double ms = 0;
    double p10_ms = 0, p90_ms = 0;  // both `ms` where it is exact, or where nobody knows how far off it may be

    bool exact() const { return origin == "measured" || origin == "published"; }
    bool has_band() const { return p10_ms < ms || p90_ms > ms; }
    std::string name() const { return family + " (" + origin + ")"; }
};

struct CriticalPath {
    std::string device;           // the accelerator: errors are shared by points on the same one
    std::vector<PathTime> times;  // longest first; their sum is the step
    double total_ms() const;
    // Of the whole: neither exact nor with a band.
    double unknown_share() const;
};

CriticalPath critical_path(const Program& program, const Timeline& timeline, const std::string& device);

}  // namespace strata
