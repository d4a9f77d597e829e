#include "app/gui/models/export_report.hpp"

#include "reports/files.hpp"
#include "reports/render/results_csv.hpp"
#include "reports/render/results_json.hpp"
#include "reports/study_report.hpp"

namespace strata {

WrittenReport export_report(const ReportRequest& request) {
    const auto& [study, text, file, folder, root] = request;
    const ScenarioFile scenario(file, parse_yaml(text, file), root + "/scenarios/models");
    const OutputFolder made(folder);
    Manifest manifest = manifest_of(*study, file, {}, root);
    manifest.command = "strata run " + file + " --out " + folder;
    manifest.date = report_date();
    const Document report = study_report(scenario, *study, manifest, CostBook::of(root), root);
    return write_report({folder, folder}, report, page_assets(root),
                        results_json(*study, scenario.assertions(), manifest), results_csv(*study));
}

}  // namespace strata
