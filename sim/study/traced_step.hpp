// One point with what its resources were busy with and when: by the systemc engine in strata-simulate, or by the
// analytic one here.
#pragma once

#include <string>
#include <vector>

#include "sim/result/step_trace.hpp"
#include "sim/result/trace.hpp"
#include "sim/study/study.hpp"

namespace strata {

// As a trace viewer has it, by strata-simulate, as StudyOptions say. Throws InputError for a point that is no step of a
// model or does not fit, std::runtime_error where the simulation failed.
Trace traced_step(const ScenarioFile& file, const Point& point, const StudyOptions& options);

// A point as text; `file` is where errors say that it stands.
struct PointText {
    std::string document, file;
};

// Task by task, of the ranks that stand for all. Throws as traced_step.
std::vector<RankTrace> traced_ranks(const PointText& point, const StudyOptions& options);
// One rank for all, as the analytic engine has them; no parts, since nothing queues.
std::vector<RankTrace> traced_by_analytic(const Program& program);

}  // namespace strata
