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

namespace fs = std::filesystem;

std::vector<std::string> systems_of(const Scenario& first, const Study& study) {
    std::set<std::string> systems;
    for (const PointResult& result : study.results)
        for (const auto& [path, value] : result.settings)
            if (path == "platform.system") systems.insert(value);
    if (systems.empty() && !first.collective) systems.insert(first.system);
    return {systems.begin(), systems.end()};
}

// Files that belong together: made in a folder inside theirs, and in their place only when all are there. On an error
// nothing is left of them, and what stood there before still stands.
class Together {
public:
    explicit Together(fs::path folder) : folder_(std::move(folder)), making_(folder_ / ".making") {
        fs::create_directory(making_);
    }
    ~Together() {
        std::error_code ignored;
        fs::remove_all(making_, ignored);
    }
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

    fs::path at(const std::string& name) {
        names_.push_back(name);
        return making_ / name;
    }
    std::vector<std::string> put_in_place() {
        for (const std::string& name : names_) fs::rename(making_ / name, folder_ / name);
        return names_;
    }

private:
    fs::path folder_, making_;
    std::vector<std::string> names_;
};

}  // namespace

std::vector<std::string> export_report(const Study& study, const ScenarioDocument& document,
                                       const std::string& folder) {
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
    const FolderLock lock(folder);
    Together files(folder);
    write_whole(files.at("report.html"), html_of(report, page_assets(root)));
    write_whole(files.at("results.json"), results_json(study, first.assertions, manifest));
    write_whole(files.at("results.csv"), results_csv(study));
    for (const Chart& chart : figures_of(report)) save_chart(chart, files.at(chart.name + ".png"));
    return files.put_in_place();
}

}  // namespace strata
