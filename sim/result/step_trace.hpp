// A step in simulated time, task by task and part by part, of the ranks that stand for the others. The tasks are those
// of the point's Program, which whoever reads this builds for himself: a trace is times alone.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

#include "sim/workload/program.hpp"

namespace strata {

// When a part of the machine was occupied: HBM, a link, what a node shares.
struct BusyPart {
    std::string name;  // its place in the machine: "node0.gpu3.hbm"
    std::vector<Interval> busy;
};

struct RankTrace {
    std::string name, role;  // "node0.gpu3"; "slowest", "least busy", or "all alike"
    Timeline timeline{};
    std::vector<BusyPart> parts{};
};

nlohmann::ordered_json to_json(const std::vector<RankTrace>& traces);
// Throws nlohmann::json::exception on anything else.
std::vector<RankTrace> traces_from_json(const nlohmann::ordered_json& json);

}  // namespace strata
