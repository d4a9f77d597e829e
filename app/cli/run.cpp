#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "app/cli/exports.hpp"
#include "app/cli/report_files.hpp"
#include "app/cli/study_table.hpp"
#include "app/cli/verbs.hpp"
#include "reports/file_fingerprint.hpp"
#include "reports/files.hpp"
#include "reports/render/results_csv.hpp"
#include "reports/render/results_json.hpp"
#include "reports/report.hpp"
#include "reports/rl_view.hpp"
#include "reports/serving_view.hpp"
#include "reports/training_view.hpp"
#include "sim/access/access_bench.hpp"
#include "sim/collective/collective_engine.hpp"
#include "sim/placement/memory.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/study/find_binding.hpp"
#include "sim/study/refinement.hpp"
#include "sim/training/rl_engine.hpp"
#include "sim/training/training_engine.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

// All of a sweep; of a search so many of its points, evenly.
std::vector<Point> points_to_check(const ScenarioFile& scenario) {
    if (!scenario.search()) return scenario.points();
    constexpr std::size_t kMost = 1000;
    const PointPlan plan(scenario.axes(), scenario.search()->sample, ScenarioFile::kMaxPoints);
    std::vector<Point> points;
    for (const std::size_t i : thinned(plan.size(), kMost)) points.push_back(scenario.point_with(plan.settings(i)));
    return points;
}

}  // namespace

int run_verb(const RunArguments& arguments, const std::string& root) {
    const ScenarioFile scenario(arguments.scenario, root + "/scenarios/models", arguments.set);
    if (scenario.search()) return search_verb(arguments, scenario, root);
    check_exports(arguments, scenario);
    const AllocationLaw law(root + "/sim/quality/allocation_anchors.yaml");
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
    const StudyOptions options{.root = root,
                               .engines = arguments.engines,
                               .jobs = arguments.jobs,
                               .simulator = {},
                               .progress = progress_bar()};
    Study study = run_study(scenario, options);
    if (arguments.binds) find_bindings(study, scenario, {}, options);
    // Nothing fits: that is an input to mend, not a result to plan with.
    const bool any_run =
        std::any_of(study.results.begin(), study.results.end(), [](const PointResult& r) { return r.run.has_value(); });
    if (!any_run) throw InputError(arguments.scenario + ": " + study.results.front().reason);
    int failed = 0;
    for (const PointResult& result : study.results)
        if (result.run) failed += failed_assertions(scenario.assertions(), *result.run);
    const Catalog catalog(fs::path(root) / "hwmodels" / "catalog");
    const Scenario first = scenario.read(scenario.points().front(), catalog);
    const std::string model = first.model.name;
    Manifest manifest = manifest_of(study, arguments.scenario, arguments.set, root);
    for (const std::string& record : first.platform.records)
        manifest.sha256.emplace_back(fmt::format("measured {}", fs::path(record).filename().string()),
                                     sha256_of_files(record));
    manifest.command = arguments.command;
    manifest.date = report_date();
    const std::string json = results_json(study, scenario.assertions(), manifest);
    if (arguments.json_file == "-")
        std::cout << json;
    else
        std::cout << scenario.name() << '\n' << study_table(study, law, model) << '\n';
    if (arguments.json_file != "-" && !scenario.is_access() && !scenario.is_collective() && !is_serving(study) &&
        !is_training(study) && !is_rl(study))
        std::cout << wrapped(recommended_text(recommend(study, scenario.assertions(), law, model), study, law, model));
    if (!arguments.json_file.empty() && arguments.json_file != "-") write_whole(arguments.json_file, json);
    write_exports(arguments, scenario, study, root);
    if (report) {
        const OpticalLaw optical_law(root + "/sim/quality/optical_anchors.yaml");
        const auto& optical = first.workload.optical;
        const PointResult* chosen = recommend(study, scenario.assertions(), law, model).point;
        const auto closer = chosen ? closer_look(scenario, *chosen, study, root) : std::nullopt;
        write_report(report_folders(arguments),
                     report_of({study, law, catalog, costs, model, systems_of(first, study), scenario.assertions(),
                                manifest, &optical_law, optical ? &*optical : nullptr, closer ? &*closer : nullptr}),
                     assets, json, results_csv(study));
    }
    return failed == 0 ? 0 : 1;
}

int check_verb(const std::vector<std::string>& scenarios, const std::string& root) {
    const Catalog catalog(fs::path(root) / "hwmodels" / "catalog");
    std::string errors;
    for (const std::string& file : scenarios) {
        try {
            const ScenarioFile scenario(file, root + "/scenarios/models");
            const std::vector<Point> points = points_to_check(scenario);
            AccessBench bench(catalog);
            Inputs inputs(root);
            std::size_t fitting = 0;
            std::string reason;
            for (const Point& point : points) {
                const Scenario read = scenario.read(point, catalog);
                try {
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
                    ++fitting;
                } catch (const InputError& error) {
                    reason = error.what();
                }
            }
            if (fitting == 0) throw InputError(file + ": " + reason);
            std::cout << fmt::format("{}: {} points, {} of them fit\n", file, points.size(), fitting);
        } catch (const InputError& error) {
            errors += (errors.empty() ? "" : "\n") + std::string(error.what());
        }
    }
    if (!errors.empty()) throw InputError(errors);
    return 0;
}

}  // namespace strata
