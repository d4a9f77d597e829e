// One point's result: metrics, what bounds it, and where its time comes from.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"
#include "sim/workload/program.hpp"

namespace strata {

struct Run {
    std::string engine;
    std::map<std::string, double> metrics;           // "decode.tpot_ms" and so on, unit in the name
    std::map<std::string, double> share_of_compute;  // by origin, of the compute lane's busy time
    std::array<double, kLanes> utilisation{};        // busy time of each lane over the step
    std::string bottleneck;                          // the busiest lane
};

// `machine.ranks` x program must be what `timeline` was made from.
Run summarise(const Scenario& scenario, const Machine& machine, const Program& program, const Timeline& timeline,
              const std::string& engine);

}  // namespace strata
