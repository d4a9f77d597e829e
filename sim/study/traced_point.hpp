// One point with its timeline: by the systemc engine in strata-simulate, or by the analytic one here.
#pragma once

#include <string>
#include <vector>

#include "sim/result/step_trace.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// A point as text; `file` is where errors say that it stands.
struct PointText {
    std::string document, file;
};

// The ranks that stand for all. `simulator` as in StudyOptions. Throws InputError for a point that does not fit.
std::vector<RankTrace> traced_by_systemc(const PointText& point, const std::string& root, const std::string& simulator);
// One rank for all, as the analytic engine has them; no parts, since nothing queues.
std::vector<RankTrace> traced_by_analytic(const Program& program);

}  // namespace strata
