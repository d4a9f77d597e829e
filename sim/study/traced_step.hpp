// One point through the systemc engine, with what its resources were busy with and when.
#pragma once

#include "sim/result/trace.hpp"
#include "sim/study/study.hpp"

namespace strata {

// By strata-simulate, as StudyOptions say. Throws InputError for a point that is no step of a model or does not fit,
// std::runtime_error where the simulation failed.
Trace traced_step(const ScenarioFile& file, const Point& point, const StudyOptions& options);

}  // namespace strata
