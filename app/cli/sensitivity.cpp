#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/cli/verbs.hpp"
#include "reports/files.hpp"
#include "reports/study_view.hpp"
#include "sim/search/step_sobol.hpp"
#include "sim/search/tornado.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

// A bar of the tornado: how far to each side of the base, of the widest there is.
std::string bar(double share) {
    constexpr double kWidth = 20;
    return std::string(static_cast<std::size_t>(std::lround(kWidth * share)), '#');
}

void print(const Tornado& tornado) {
    std::cout << fmt::format("  {} is {}; each input from low to high alone\n", tornado.metric, plain(tornado.base));
    const double widest = tornado.swings.empty() ? 0 : tornado.swings.front().width();
    std::string none;
    for (const Swing& swing : tornado.swings) {
        if (!swing.obstacle.empty())
            std::cout << fmt::format("  {:<40} does not run: {}\n", swing.input, swing.obstacle);
        else if (swing.width() > 1e-4 * std::abs(tornado.base))
            std::cout << fmt::format("  {:<40} {:>9} .. {:<9} {:<16} {}\n", swing.input, plain(swing.low),
                                     plain(swing.high), swing.range, bar(swing.width() / widest));
        else
            none += fmt::format("{}{}", none.empty() ? "" : ", ", swing.input);
    }
    if (!none.empty()) std::cout << fmt::format("  no difference: {}\n", none);
    for (const std::string& name : tornado.unknown)
        std::cout << fmt::format("  not tried: {}, a number of it is null\n", name);
    if (tornado.unknown_share > 0)
        std::cout << fmt::format("  of {} of the step nobody knows the error\n", percent(tornado.unknown_share));
}

void print(const StepSobol& sobol) {
    std::cout << fmt::format(
        "  Sobol indices of the step's time ({} ms as another device), {} evaluations: first order, "
        "total, each with its 95 % interval\n",
        plain(sobol.base_ms), sobol.result.evaluations);
    std::vector<std::size_t> order(sobol.names.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return sobol.result.inputs[a].total > sobol.result.inputs[b].total;
    });
    for (const std::size_t i : order) {
        const SobolIndex& index = sobol.result.inputs[i];
        if (index.total > 1e-4)
            std::cout << fmt::format("  {:<40} {:>6.3f} ({:.3f} to {:.3f})  {:>6.3f} ({:.3f} to {:.3f})\n",
                                     sobol.names[i], index.first, index.first_low, index.first_high, index.total,
                                     index.total_low, index.total_high);
    }
}

Json to_json(const Tornado& tornado) {
    Json json{{"metric", tornado.metric},   {"base", tornado.base},
              {"by", tornado.by},           {"swings", Json::array()},
              {"unknown", tornado.unknown}, {"share_of_unknown_error", tornado.unknown_share}};
    for (const Swing& swing : tornado.swings) {
        Json entry{{"input", swing.input}, {"range", swing.range}};
        if (swing.obstacle.empty()) {
            entry["low"] = swing.low;
            entry["high"] = swing.high;
        } else {
            entry["obstacle"] = swing.obstacle;
        }
        json["swings"].push_back(std::move(entry));
    }
    return json;
}

Json to_json(const StepSobol& sobol) {
    Json json{{"step_ms", sobol.base_ms},
              {"mean_ms", sobol.result.mean},
              {"variance_ms2", sobol.result.variance},
              {"evaluations", sobol.result.evaluations},
              {"inputs", Json::array()}};
    for (std::size_t i = 0; i < sobol.names.size(); ++i) {
        const SobolIndex& index = sobol.result.inputs[i];
        json["inputs"].push_back({{"input", sobol.names[i]},
                                  {"first", {index.first, index.first_low, index.first_high}},
                                  {"total", {index.total, index.total_low, index.total_high}}});
    }
    return json;
}

}  // namespace

int sensitivity_verb(const SensitivityArguments& arguments, const std::string& root) {
    const TornadoOptions asked{.metric = arguments.metric, .by = share_from(arguments.by)};
    const ScenarioFile file(arguments.scenario, root + "/scenarios/models", arguments.set);
    const StudyOptions options{.root = root, .engines = {"analytic"}};
    const Study study = run_study(file, options);
    const std::vector<Point> points = file.points();
    Inputs inputs(root);
    Json json = Json::array();
    const bool quiet = arguments.json_file == "-";
    for (std::size_t i = 0; i < study.results.size(); ++i) {
        const PointResult& result = study.results[i];
        Json entry{{"settings", Json::object()}};
        for (const auto& [path, value] : result.settings) entry["settings"][path] = value;
        if (!quiet) std::cout << label_of(result, study) << '\n';
        if (result.run) {
            const Tornado tornado = tornado_of(file, points[i], *result.run, asked, options);
            entry["tornado"] = to_json(tornado);
            if (!quiet) print(tornado);
        } else {
            entry["reason"] = result.reason;
            if (!quiet) std::cout << fmt::format("  {}: {}\n", to_string(result.status), result.reason);
        }
        if (result.run && arguments.sobol > 0) {
            Scenario scenario = file.read(points[i], inputs.catalog());
            scenario.workload.batch = result.run->metrics.at("workload.batch");
            scenario.workload.largest_with.reset();
            const StepSobol sobol =
                step_sobol(scenario, inputs, asked.by, {.samples = static_cast<std::size_t>(arguments.sobol)});
            entry["sobol"] = to_json(sobol);
            if (!quiet) print(sobol);
        }
        json.push_back(std::move(entry));
    }
    if (quiet) std::cout << json.dump(1) << '\n';
    if (!arguments.json_file.empty() && !quiet) write_whole(arguments.json_file, json.dump(1) + "\n");
    return 0;
}

}  // namespace strata
