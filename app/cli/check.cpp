#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "sim/access/access_bench.hpp"
#include "sim/collective/collective_engine.hpp"
#include "sim/placement/memory.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/study/refinement.hpp"
#include "sim/training/rl_engine.hpp"
#include "sim/training/training_engine.hpp"

namespace strata {

namespace {

// All of a sweep; of a search so many of its points, evenly.
std::vector<Point> points_to_check(const ScenarioFile& scenario) {
    if (!scenario.search()) return scenario.points();
    constexpr std::size_t kMost = 1000;
    const PointPlan plan(scenario.axes(), scenario.search()->sample, ScenarioFile::kMaxPoints);
    std::vector<Point> points;
    for (const std::size_t i : thinned(plan.size(), kMost)) points.push_back(scenario.point_with(plan.settings(i)));
    return points;
}

void check_point(const Scenario& read, AccessBench& bench, Inputs& inputs) {
    if (read.access)
        bench.check(read);
    else if (read.collective)
        (void)plan(*read.collective);
    else if (read.serving)
        check_serving_fits(read);
    else if (read.training)
        run_training(read, inputs);
    else if (read.rl)
        run_rl(read, inputs);
    else
        check_fits(read);
}

struct Checked {
    std::string file;
    std::size_t points = 0, fitting = 0;
};

// Throws InputError where no point can be run.
Checked check_file(const std::string& file, const Catalog& catalog, const std::string& root) {
    const ScenarioFile scenario(file, root + "/scenarios/models");
    const std::vector<Point> points = points_to_check(scenario);
    AccessBench bench(catalog);
    Inputs inputs(root);
    Checked checked{.file = file, .points = points.size()};
    std::string reason;
    for (const Point& point : points) {
        const Scenario read = scenario.read(point, catalog);
        try {
            check_point(read, bench, inputs);
            ++checked.fitting;
        } catch (const InputError& error) {
            reason = error.what();
        }
    }
    if (checked.fitting == 0) throw InputError(file + ": " + reason);
    return checked;
}

}  // namespace

int check_verb(const CheckArguments& arguments, const std::string& root) {
    const Catalog catalog(std::filesystem::path(root) / "hwmodels" / "catalog");
    std::string errors;
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const std::string& file : arguments.scenarios) {
        try {
            const Checked checked = check_file(file, catalog, root);
            json.push_back({{"file", file}, {"points", checked.points}, {"fitting", checked.fitting}});
            if (!arguments.json)
                std::cout << fmt::format("{}: {} points, {} of them fit\n", file, checked.points, checked.fitting);
        } catch (const InputError& error) {
            json.push_back({{"file", file}, {"error", error.what()}});
            errors += (errors.empty() ? "" : "\n") + std::string(error.what());
        }
    }
    if (arguments.json) std::cout << json.dump(1) << '\n';
    if (!errors.empty()) throw InputError(errors);
    return 0;
}

}  // namespace strata
