#include "sim/study/study.hpp"

#include <filesystem>
#include <map>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/placement/memory.hpp"
#include "sim/workload/build_program.hpp"

namespace strata {

std::string_view to_string(PointStatus status) {
    return status == PointStatus::ok ? "ok" : status == PointStatus::infeasible ? "infeasible" : "failed";
}

Study run_study(const ScenarioFile& file, const StudyOptions& options) {
    const std::filesystem::path root(options.root);
    const Catalog catalog(root / "hwmodels" / "catalog");
    const CostBook costs((root / "sim" / "cost" / "cost_curves.yaml").string());
    const std::vector<Point> points = file.points();
    Study study{file.name(), file.description(), options.engines.empty() ? file.engines() : options.engines, {}};
    study.results.reserve(points.size() * study.engines.size());
    std::map<PlatformSpec, Platform> platforms;
    for (const Point& point : points) {
        PointResult result{point.settings, "analytic", PointStatus::ok, {}, {}};
        const Scenario scenario =
            file.read(point, catalog);  // what cannot be read is wrong for every engine: no result
        try {
            check_fits(scenario);
            auto known = platforms.find(scenario.platform);
            if (known == platforms.end())
                known = platforms.emplace(scenario.platform, platform_of(scenario.platform, costs)).first;
            const Program program = build_program(scenario, known->second, costs);
            result.run = summarise(scenario, known->second.machine, program, run_analytic(program), "analytic");
        } catch (const InputError& error) {
            result.status = PointStatus::infeasible;
            result.reason = error.what();
        }
        study.results.push_back(std::move(result));
        if (options.progress) options.progress(study.results.size(), points.size());
    }
    return study;
}

}  // namespace strata
