#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

#include "app/cli/figures.hpp"
#include "app/cli/study_table.hpp"
#include "app/cli/verbs.hpp"
#include "reports/file_fingerprint.hpp"
#include "reports/files.hpp"
#include "reports/render/html.hpp"
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
#include "sim/training/rl_engine.hpp"
#include "sim/training/training_engine.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

// Every system that the study ran on: one, unless the sweep changes it.
std::vector<std::string> systems_of(const Scenario& first, const Study& study) {
    std::vector<std::string> systems;
    for (const PointResult& result : study.results)
        for (const auto& [path, value] : result.settings)
            if (path == "platform.system" && std::find(systems.begin(), systems.end(), value) == systems.end())
                systems.push_back(value);
    if (systems.empty() && !first.collective) systems = {first.system};
    return systems;
}

void write_report(const RunArguments& arguments, const ReportInput& input, const PageAssets& assets,
                  const std::string& json) {
    const fs::path folder(arguments.out_folder);
    write_whole(folder / "results.json", json);
    write_whole(folder / "results.csv", results_csv(input.study));
    const Document document = report_of(input);
    write_whole(folder / "report.html", html_of(document, assets));
    std::cerr << "wrote " << (folder / "report.html").string() << ", results.json, results.csv\n";
    const std::vector<Chart> figures = figures_of(document);
    const std::string obstacle = write_figures(figures, folder);
    if (!obstacle.empty()) std::cerr << obstacle << '\n';
    for (const Chart& chart : figures)
        if (obstacle.empty()) std::cerr << fmt::format("wrote {0}.svg, {0}.png\n", (folder / chart.name).string());
}

// On a terminal only, at most ten times a second.
std::function<void(std::size_t, std::size_t)> progress_bar() {
    if (!isatty(STDERR_FILENO)) return {};
    using Clock = std::chrono::steady_clock;
    return [begin = Clock::now(), last = Clock::time_point{}](std::size_t done, std::size_t all) mutable {
        const auto now = Clock::now();
        if (done < all && now - last < std::chrono::milliseconds(100)) return;
        last = now;
        const double spent = std::chrono::duration<double>(now - begin).count();
        std::cerr << fmt::format("\r{}/{} points, {:.0f} s left ", done, all,
                                 spent / double(done) * double(all - done));
        if (done == all) std::cerr << "\r\033[K";
    };
}

// An assertion on a metric that a point does not have is not silently true.
int failed_assertions(const ScenarioFile& scenario, const Study& study) {
    int failed = 0;
    for (const Assertion& assertion : scenario.assertions())
        for (const PointResult& result : study.results) {
            if (!result.run) continue;
            const auto metric = result.run->metrics.find(assertion.metric);
            if (metric == result.run->metrics.end())
                throw InputError("assertion '" + assertion.text + "'", "a metric of this workload",
                                 "'" + assertion.metric + "'");
            if (assertion.holds(metric->second)) continue;
            ++failed;
            std::cerr << fmt::format("assertion failed: {} (is {:.6g})\n", assertion.text, metric->second);
        }
    return failed;
}

}  // namespace

int run_verb(const RunArguments& arguments, const std::string& root) {
    const ScenarioFile scenario(arguments.scenario, root + "/scenarios/models", arguments.set);
    const AllocationLaw law(root + "/sim/quality/allocation_anchors.yaml");
    const CostBook costs = CostBook::of(root);
    for (const std::string& refused : costs.refused())
        std::cerr << fmt::format("left out of the cost book: {}\n", refused);
    const bool report = !arguments.out_folder.empty();
    PageAssets assets;
    std::optional<OutputFolder> folder;
    if (report) {  // what could go wrong at the end goes wrong before the study
        folder.emplace(arguments.out_folder);
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
    const int failed = failed_assertions(scenario, study);
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
    if (report) {
        const OpticalLaw optical_law(root + "/sim/quality/optical_anchors.yaml");
        const auto& optical = first.workload.optical;
        write_report(arguments,
                     {study, law, catalog, costs, model, systems_of(first, study), scenario.assertions(), manifest,
                      &optical_law, optical ? &*optical : nullptr},
                     assets, json);
    }
    return failed == 0 ? 0 : 1;
}

int check_verb(const std::vector<std::string>& scenarios, const std::string& root) {
    const Catalog catalog(fs::path(root) / "hwmodels" / "catalog");
    std::string errors;
    for (const std::string& file : scenarios) {
        try {
            const ScenarioFile scenario(file, root + "/scenarios/models");
            const std::vector<Point> points = scenario.points();
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
