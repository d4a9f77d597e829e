#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "app/cli/assertion_output.hpp"
#include "app/cli/exports.hpp"
#include "app/cli/report_files.hpp"
#include "app/cli/study_table.hpp"
#include "app/cli/verbs.hpp"
#include "hwmodels/file_fingerprint.hpp"
#include "reports/files.hpp"
#include "reports/render/results_csv.hpp"
#include "reports/render/results_json.hpp"
#include "reports/report.hpp"
#include "reports/rl_view.hpp"
#include "reports/serving_view.hpp"
#include "reports/study_report.hpp"
#include "reports/training_view.hpp"
#include "sim/study/allocation_of.hpp"
#include "sim/study/find_binding.hpp"
#include "sim/study/point_store.hpp"

namespace strata {

namespace fs = std::filesystem;

StudyOptions study_options(const RunArguments& arguments, const std::string& root) {
    StudyOptions options{.root = root,
                         .engines = arguments.engines,
                         .jobs = arguments.jobs,
                         .progress = progress_bar(),
                         .limits = arguments.limits};
    std::string file = arguments.store_file;
    if (file.empty() && !arguments.out_folder.empty())
        file = (fs::path(arguments.out_folder) / "study.sqlite").string();
    if (!file.empty())
        options.store =
            std::make_shared<PointStore>(file, arguments.renew ? PointStore::Use::renew : PointStore::Use::share);
    return options;
}

namespace {

// Refused input leaves nothing: not a store either, if this run has made it.
Study run_or_leave_nothing(const ScenarioFile& scenario, const StudyOptions& options) {
    try {
        return run_study(scenario, options);
    } catch (const InputError&) {
        if (options.store) options.store->discard();
        throw;
    }
}

}  // namespace

int run_verb(const RunArguments& arguments, const std::string& root) {
    const ScenarioFile scenario(arguments.scenario, root + "/scenarios/models", arguments.set);
    if (scenario.search()) return search_verb(arguments, scenario, root);
    check_exports(arguments, scenario);
    const AllocationLaw law = allocation_law_of(scenario, root);
    const CostBook costs = CostBook::of(root);
    for (const std::string& refused : costs.refused())
        std::cerr << fmt::format("left out of the cost book: {}\n", refused);
    const bool report = !arguments.out_folder.empty();
    PageAssets assets;
    std::optional<OutputFolder> folder, figures;
    if (report) {  // what could go wrong at the end goes wrong before the study
        folder.emplace(arguments.out_folder);
        figures.emplace(report_folders(arguments).figures);
        assets = page_assets(root);
    }
    const StudyOptions options = study_options(arguments, root);
    Study study = run_or_leave_nothing(scenario, options);
    if (arguments.binds) find_bindings(study, scenario, {}, options);
    // Nothing fits: that is an input to mend, not a result to plan with.
    const bool any_run =
        std::any_of(study.results.begin(), study.results.end(), [](const PointResult& r) { return r.run.has_value(); });
    if (!any_run) {
        if (options.store) options.store->discard();
        throw InputError(arguments.scenario + ": " + study.results.front().reason);
    }
    int failed = 0;
    for (const PointResult& result : study.results)
        if (result.run) failed += failed_assertions(scenario.assertions(), *result.run);
    write_assertions(arguments, scenario.name(), scenario.assertions(), study.results);
    const Catalog catalog(fs::path(root) / "hwmodels" / "catalog");
    const Scenario first = scenario.read(scenario.first_point(), catalog);
    const std::string model = first.model.name;
    Manifest manifest = manifest_of(study, arguments.scenario, arguments.set, root);
    for (const std::string& record : first.platform.records)
        manifest.sha256.emplace_back(fmt::format("measured {}", fs::path(record).filename().string()),
                                     sha256_of_files(record));
    manifest.command = arguments.command;
    manifest.date = report_date();
    const bool wanted = report || !arguments.json_file.empty();
    const std::string json = wanted ? results_json(study, scenario.assertions(), manifest) : "";
    if (arguments.json_file == "-")
        std::cout << json;
    else
        std::cout << scenario.name() << '\n' << study_table(study, law, model) << '\n';
    if (arguments.json_file != "-" && !scenario.is_access() && !scenario.is_collective() && !is_serving(study) &&
        !is_training(study) && !is_rl(study))
        std::cout << wrapped(recommended_text(recommend(study, scenario.assertions(), law, model), study, law, model));
    if (!arguments.json_file.empty() && arguments.json_file != "-") write_whole(arguments.json_file, json);
    write_exports(arguments, scenario, study, root);
    if (report)
        write_and_say(report_folders(arguments), study_report(scenario, study, manifest, costs, root), assets, json,
                      results_csv(study));
    return failed == 0 ? 0 : 1;
}

}  // namespace strata
