// The points of a scenario through the engine. A study never dies of a point: one that does not fit its platform is a
// result with its reason.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/result/run.hpp"

namespace strata {

struct StudyOptions {
    std::string root;  // holds scenarios/models, hwmodels/catalog and sim/cost
    std::function<void(std::size_t done, std::size_t all)> progress{};
};

struct PointResult {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string reason;      // why there is no run
    std::optional<Run> run;  // absent: infeasible
};

// Results in the order of the points. Throws InputError for a point that cannot even be read.
std::vector<PointResult> run_study(const ScenarioFile& scenario, const StudyOptions& options);

}  // namespace strata
