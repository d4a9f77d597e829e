// Did a prediction move? A baseline holds every number of every scenario; the gate runs them again and compares. It
// says nothing of how right they are: that is the ledger's question ('strata validate').
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "app/cli/ci_verbs.hpp"
#include "app/cli/comparison_output.hpp"
#include "app/cli/verbs.hpp"
#include "hwmodels/yaml_field.hpp"
#include "reports/files.hpp"
#include "sim/study/search_study.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "strata-baseline/1";

// Folders stand for the scenarios that lie in them; what lies deeper is a folder of its own.
std::vector<std::string> scenario_files(const std::vector<std::string>& paths) {
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        if (!fs::is_directory(path)) {
            files.push_back(path);
            continue;
        }
        std::vector<std::string> inside;
        for (const auto& entry : fs::directory_iterator(path))
            if (entry.path().extension() == ".yaml") inside.push_back(entry.path().string());
        if (inside.empty()) throw InputError(path, "a folder with scenarios (*.yaml)", "none in it");
        std::sort(inside.begin(), inside.end());
        files.insert(files.end(), inside.begin(), inside.end());
    }
    return files;
}

// Of a search what it recommends, by every engine that looked at it: which points surround it says nothing by itself.
std::vector<PointResult> results_of(const std::string& file, const std::string& root, int jobs) {
    const ScenarioFile scenario(file, root + "/scenarios/models");
    const StudyOptions options{.root = root, .engines = {}, .jobs = jobs, .simulator = {}, .progress = {}};
    if (!scenario.search()) return run_study(scenario, options).results;
    const SearchResult search = run_search(scenario, options);
    const PointResult* recommended = search.recommended_result();
    return recommended ? std::vector<PointResult>{*recommended} : std::vector<PointResult>{};
}

// As a baseline names it: from the folder that the baseline lies in, so that it can be held from anywhere.
std::string name_of(const std::string& path, const std::string& baseline) {
    const fs::path folder = fs::absolute(baseline).parent_path();
    return fs::absolute(path).lexically_normal().lexically_relative(folder.lexically_normal()).generic_string();
}

Json read_baseline(const std::string& text, const std::string& file) {
    try {
        Json json = Json::parse(text);
        if (json.is_object() && json.value("schema", "") == kSchema && json.at("paths").is_array()) return json;
    } catch (const Json::exception&) {
    }
    throw InputError(file, "a baseline of 'strata baseline'", "something else");
}

double tolerance_of(const std::string& text) {
    const FailIf rule = parse_fail_if("|*| > " + text);
    if (!rule.percent || rule.bound < 0) throw InputError("--tolerance", "a share such as 0.1%", "'" + text + "'");
    return rule.bound;
}

}  // namespace

int baseline_verb(const BaselineArguments& arguments, const std::string& root) {
    Json baseline{
        {"schema", kSchema}, {"strata", STRATA_VERSION}, {"paths", Json::array()}, {"scenarios", Json::array()}};
    for (const std::string& path : arguments.paths) baseline["paths"].push_back(name_of(path, arguments.out_file));
    std::size_t points = 0;
    for (const std::string& file : scenario_files(arguments.paths)) {
        std::clog << file << '\n';
        Json scenario{{"file", name_of(file, arguments.out_file)}, {"points", Json::array()}};
        for (const PointResult& result : results_of(file, root, arguments.jobs))
            scenario["points"].push_back(baseline_point(result));
        points += scenario["points"].size();
        baseline["scenarios"].push_back(std::move(scenario));
    }
    write_whole(arguments.out_file, baseline.dump(1) + "\n");
    std::cout << fmt::format("{}: {} points of {} scenarios\n", arguments.out_file, points,
                             baseline["scenarios"].size());
    return 0;
}

int gate_verb(const GateArguments& arguments, const std::string& root) {
    const std::string text = whole_file(arguments.baseline);
    const Json baseline = read_baseline(text, arguments.baseline);
    const fs::path folder = fs::absolute(arguments.baseline).parent_path();
    std::vector<std::string> paths = arguments.paths;
    if (paths.empty())
        for (const Json& path : baseline.at("paths"))
            paths.push_back((folder / path.get<std::string>()).lexically_normal().string());
    const double tolerance = tolerance_of(arguments.tolerance);
    Predictions before = predictions_from(text, arguments.baseline), now;
    std::vector<std::string> held;
    for (const std::string& file : scenario_files(paths)) {
        std::clog << file << '\n';
        held.push_back(name_of(file, arguments.baseline));
        const Predictions of_file = predictions_of(held.back(), results_of(file, root, arguments.jobs));
        now.insert(now.end(), of_file.begin(), of_file.end());
    }
    // A part of the baseline may be held alone; of the whole a scenario that is gone is a loss.
    if (!arguments.paths.empty())
        std::erase_if(before, [&](const PredictedPoint& point) {
            return std::find(held.begin(), held.end(), point.scenario) == held.end();
        });
    const FailIf moved{.metric = "*",
                       .magnitude = true,
                       .comparison = ">",
                       .bound = tolerance,
                       .percent = true,
                       .text = fmt::format("moved by more than {}", arguments.tolerance)};
    Comparison comparison = compare(before, now, {.fail_if = {moved}, .strict = true, .by_scenario = true});
    for (const std::string& added : comparison.added)
        comparison.failures.push_back(added + " is not in the baseline; if it should be, run 'strata baseline' again");
    return write_comparison(comparison, {.title = "Did a prediction move?",
                                         .json_file = arguments.json_file,
                                         .markdown_file = arguments.markdown_file});
}

}  // namespace strata
