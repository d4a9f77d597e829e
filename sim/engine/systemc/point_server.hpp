// Points as lines of JSON. Each is read, priced and simulated in a forked child, which serves many: a point that
// crashes, hangs or runs out of memory takes the child with it, and no other point. What happens to this process itself
// is seen by who started it (sim/study/simulator_pool).
//   {"id": 7, "root": FOLDER, "file": SCENARIO, "document": "the point as YAML"}; with "trace": true the answer has
//   "trace" (sim/result/trace_json) and "ranks" (sim/result/step_trace)
//   {"id": 7, "status": "ok", "run": {...}} or {"id": 7, "status": "infeasible" or "failed", "reason": "..."}
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>

#include "sim/engine/systemc/forked_server.hpp"
#include "sim/result/point_limits.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

class PointServer {
public:
    explicit PointServer(const PointLimits& limits) : limits_(limits) {}
    // Never throws for what is wrong with a line or a point: the answer says so. A failed attempt is made once more in
    // a new child, because what killed it may have been outside (the system short of memory).
    std::string answer(const std::string& line);

private:
    struct Outcome {
        bool failed = false;
        std::string text;  // the answer, or why it failed
    };
    Outcome attempt(const std::string& line, const nlohmann::json& request);
    void start_child();
    std::string answer_here(const std::string& line);
    Inputs& inputs_of(const std::string& root);

    PointLimits limits_;
    std::map<std::string, Inputs> inputs_;  // by root; read before the fork, so children share the pages
    std::optional<ForkedServer> child_;
    int served_ = 0;  // by this child
};

}  // namespace strata
