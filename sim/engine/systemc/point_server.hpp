// Points as lines of JSON, each read and priced here and simulated in a forked child: SystemC elaborates once a
// process, and a child that crashes, hangs or runs out of memory costs its own point only. What happens to this process
// itself is seen by who started it (sim/study/simulator_pool).
//   {"id": 7, "root": FOLDER, "file": SCENARIO, "document": "the point as YAML"}; with "trace": true the answer has
//   "trace" (sim/result/trace_json) and "ranks" (sim/result/step_trace)
//   {"id": 7, "status": "ok", "run": {...}} or {"id": 7, "status": "infeasible" or "failed", "reason": "..."}
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>

#include "sim/result/point_limits.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

class PointServer {
public:
    explicit PointServer(const PointLimits& limits) : limits_(limits) {}
    // Never throws for what is wrong with a line or a point: the answer says so. A failed attempt is made once more,
    // because what killed it may have been outside (the system short of memory).
    std::string answer(const std::string& line);

private:
    nlohmann::ordered_json attempt(const nlohmann::json& request);
    Inputs& inputs_of(const std::string& root);

    PointLimits limits_;
    Bytes own_space_{};                     // of addresses, without any point
    std::map<std::string, Inputs> inputs_;  // by root; read before the first fork, so children share the pages
};

}  // namespace strata
