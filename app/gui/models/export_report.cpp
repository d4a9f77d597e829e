#include "app/gui/models/export_report.hpp"

#include <filesystem>
#include <set>

#include "reports/figure/save_chart.hpp"
#include "reports/files.hpp"
#include "reports/render/html.hpp"
#include "reports/render/results_csv.hpp"
#include "reports/render/results_json.hpp"
#include "reports/report.hpp"
#include "sim/study/allocation_of.hpp"

namespace strata {

namespace {

std::vector<std::string> systems_of(const Scenario& first, const Study& study) {
    std::set<std::string> systems;
    for (const PointResult& result : study.results)
        for (const auto& [path, value] : result.settings)
            if (path == "platform.system") systems.insert(value);
    if (systems.empty() && !first.collective) systems.insert(first.system);
    return {systems.begin(), systems.end()};
}

}  // namespace

std::vector<std::string> export_report(const Study& study, const ScenarioDocument& document,
                                       const std::string& folder) {
    namespace fs = std::filesystem;
    if (!document.first_point()) throw InputError("scenario", "one that can be read", "errors; see the form");
    if (document.file().isEmpty())
        throw InputError("scenario", "a file that the report can name", "an unsaved scenario; save it first");
    const std::string& root = document.root();
    const OutputFolder made(folder);
    const ReadPoint& first = *document.first_point();
    const ScenarioFile scenario = document.scenario_file();
    const AllocationLaw law = allocation_law_of(scenario, root);
    const Catalog catalog(fs::path(root) / "hwmodels" / "catalog");
    const CostBook costs = CostBook::of(root);
    Manifest manifest = manifest_of(study, document.file().toStdString(), {}, root);
    manifest.command = "strata run " + document.file().toStdString() + " --out " + folder;
    manifest.date = report_date();
    ReportInput input{
        study,   law, catalog, costs, first.scenario.model.name, systems_of(first.scenario, study), first.assertions,
        manifest};
    input.trained = allocation_fits_of(scenario, root);
    const Document report = report_of(input);
    write_whole(fs::path(folder) / "results.json", results_json(study, first.assertions, manifest));
    write_whole(fs::path(folder) / "results.csv", results_csv(study));
    write_whole(fs::path(folder) / "report.html", html_of(report, page_assets(root)));
    std::vector<std::string> written{"report.html", "results.json", "results.csv"};
    for (const Chart& chart : figures_of(report)) {
        written.push_back(chart.name + ".png");
        save_chart(chart, (fs::path(folder) / written.back()).string());
    }
    return written;
}

}  // namespace strata
