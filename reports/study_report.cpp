#include "reports/study_report.hpp"

#include <algorithm>
#include <filesystem>

#include "reports/report.hpp"
#include "sim/study/allocation_of.hpp"

namespace strata {

std::vector<std::string> systems_of(const Scenario& first, const Study& study) {
    std::vector<std::string> systems;
    for (const PointResult& result : study.results)
        for (const auto& [path, value] : result.settings)
            if (path == "platform.system" && std::ranges::find(systems, value) == systems.end())
                systems.push_back(value);
    if (systems.empty() && !first.collective) systems = {first.system};
    return systems;
}

Document study_report(const ScenarioFile& scenario, const Study& study, const Manifest& manifest, const CostBook& costs,
                      const std::string& root) {
    const Catalog catalog(std::filesystem::path(root) / "hwmodels" / "catalog");
    const AllocationLaw law = allocation_law_of(scenario, root);
    const OpticalLaw optical_law(root + "/sim/quality/optical_anchors.yaml");
    const Scenario first = scenario.read(scenario.first_point(), catalog);
    const auto& optical = first.workload.optical;
    const PointResult* chosen = recommend(study, scenario.assertions(), law, first.model.name).point;
    const auto closer = chosen ? closer_look(scenario, *chosen, study, root) : std::nullopt;
    return report_of({study, law, catalog, costs, first.model.name, systems_of(first, study), scenario.assertions(),
                      manifest, &optical_law, optical ? &*optical : nullptr, closer ? &*closer : nullptr,
                      allocation_fits_of(scenario, root)});
}

}  // namespace strata
