// Points as lines of JSON, each simulated in a forked child: SystemC elaborates once a process, and a child that
// crashes, hangs or runs out of memory costs its own point only.
//   {"id": 7, "root": FOLDER, "file": SCENARIO, "document": "the point as YAML"}; with "trace": true the answer has one
//   {"id": 7, "status": "ok", "run": {...}} or {"id": 7, "status": "infeasible" or "failed", "reason": "..."}
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>

#include "sim/workload/inputs.hpp"

namespace strata {

struct PointLimits {
    double time_s = 600;   // of one attempt
    double memory_gb = 0;  // address space of a child; 0: no limit but the machine's
};

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
    std::map<std::string, Inputs> inputs_;  // by root; read before the first fork, so children share the pages
};

}  // namespace strata
