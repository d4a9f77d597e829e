// The points of a scenario through the engine. A study never dies of a point: one that does not fit its platform is a
// result with its reason.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/result/binding.hpp"
#include "sim/result/point_limits.hpp"
#include "sim/result/run.hpp"

namespace strata {

class PointStore;

struct StudyOptions {
    std::string root;                    // holds scenarios/models, hwmodels/catalog and sim/cost
    std::vector<std::string> engines{};  // replaces the scenario's own list; empty: keep it
    int jobs = 1;                        // strata-simulate processes at a time; results do not depend on it
    std::string simulator{};             // path of strata-simulate; empty: beside the running program
    std::function<void(std::size_t done, std::size_t all)> progress{};
    std::shared_ptr<PointStore> store{};  // what is known there is not computed again; none: everything is
    PointLimits limits{};                 // of each point that strata-simulate runs
};

enum class PointStatus { ok, infeasible, failed };
std::string_view to_string(PointStatus status);

// One point through one engine.
struct PointResult {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string engine;
    PointStatus status = PointStatus::ok;
    std::string reason;                // why there is no run: it does not fit, or what failed
    std::optional<Run> run;            // present if ok
    std::optional<Binding> binding{};  // where it was asked for
};

// Everything that a report is made from.
struct Study {
    std::string name, description;
    std::vector<std::string> engines;
    std::vector<PointResult> results;  // in the order of the points, for each point in the order of the engines
    // Of the fields that it varies, by path; none of those without a unit.
    std::map<std::string, std::string> units{};
};

// Throws InputError for a point that cannot even be read.
Study run_study(const ScenarioFile& scenario, const StudyOptions& options);
// The same of some of its points.
Study run_study(const ScenarioFile& scenario, const StudyOptions& options, std::vector<Settings> points);
// The same of points whose documents say more than their settings do.
Study run_study(const ScenarioFile& scenario, const StudyOptions& options, const std::vector<Point>& points);

}  // namespace strata
