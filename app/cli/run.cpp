#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "app/cli/verbs.hpp"
#include "sim/placement/memory.hpp"
#include "sim/result/run_json.hpp"
#include "sim/study/study.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

// To a temporary beside the target, then renamed: a reader never sees half a file.
void write_whole(const fs::path& target, const std::string& text) {
    const fs::path temporary = target.string() + ".partial";
    {
        std::ofstream file(temporary, std::ios::binary);
        file << text;
        file.flush();
        if (!file) throw std::runtime_error("cannot write " + temporary.string());
    }
    fs::rename(temporary, target);
}

nlohmann::ordered_json json_of(const ScenarioFile& scenario, const Study& study) {
    nlohmann::ordered_json points = nlohmann::ordered_json::array();
    for (const PointResult& result : study.results) {
        nlohmann::ordered_json settings = nlohmann::ordered_json::object();
        for (const auto& [path, value] : result.settings) settings[path] = value;
        nlohmann::ordered_json point{
            {"settings", settings}, {"engine", result.engine}, {"status", to_string(result.status)}};
        if (!result.reason.empty()) point["reason"] = result.reason;
        if (result.run) point.update(to_json(*result.run));
        for (const Assertion& assertion : scenario.assertions())
            if (result.run && result.run->metrics.count(assertion.metric))
                point["assertions"][assertion.text] = assertion.holds(result.run->metrics.at(assertion.metric));
        points.push_back(point);
    }
    return {{"schema", "strata-results/1"}, {"scenario", scenario.name()}, {"points", points}};
}

// Settings hold whatever a scenario wrote; quotes keep a comma or a quote from breaking the table.
std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string csv_of(const Study& study) {
    std::set<std::string> metrics;
    for (const PointResult& result : study.results)
        if (result.run)
            for (const auto& entry : result.run->metrics) metrics.insert(entry.first);
    std::string text;
    for (const auto& setting : study.results.front().settings) text += csv_cell(setting.first) + ",";
    text += "engine,status,bottleneck";
    for (const std::string& metric : metrics) text += "," + metric;
    text += "\n";
    for (const PointResult& result : study.results) {
        for (const auto& setting : result.settings) text += csv_cell(setting.second) + ",";
        text +=
            fmt::format("{},{},{}", result.engine, to_string(result.status), result.run ? result.run->bottleneck : "");
        for (const std::string& metric : metrics)
            text += result.run && result.run->metrics.count(metric) ? fmt::format(",{}", result.run->metrics.at(metric))
                                                                    : ",";
        text += "\n";
    }
    return text;
}

void print_table(const ScenarioFile& scenario, const Study& study) {
    std::cout << scenario.name() << '\n';
    for (const PointResult& result : study.results) {
        std::string label;
        for (const auto& [path, value] : result.settings)
            label += fmt::format("{}={}  ", path.substr(path.rfind('.') + 1), value);
        if (!result.run) {
            std::cout << fmt::format("  {:<32} {}: {}\n", label, to_string(result.status), result.reason);
            continue;
        }
        const auto& metrics = result.run->metrics;
        const bool decode = metrics.count("decode.tpot_ms") != 0;
        std::cout << fmt::format(
            "  {:<32} {} {:>9.3f} ms   {:>12.0f} tok/s   HBM {:>6.1f} GB   stall {:>8.3f} ms   bound by {}\n", label,
            decode ? "TPOT" : "TTFT", metrics.at(decode ? "decode.tpot_ms" : "prefill.ttft_ms"),
            metrics.at(decode ? "decode.tokens_per_s" : "prefill.tokens_per_s"), metrics.at("memory.hbm_gb"),
            metrics.at("engram.stall_ms"), result.run->bottleneck);
    }
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
    const Study study = run_study(scenario, {.root = root,
                                             .engines = arguments.engines,
                                             .jobs = arguments.jobs,
                                             .simulator = {},
                                             .progress = progress_bar()});
    // Nothing fits: that is an input to mend, not a result to plan with.
    const bool any_run =
        std::any_of(study.results.begin(), study.results.end(), [](const PointResult& r) { return r.run.has_value(); });
    if (!any_run) throw InputError(arguments.scenario + ": " + study.results.front().reason);
    const int failed = failed_assertions(scenario, study);
    const std::string json = json_of(scenario, study).dump(1) + "\n";
    if (arguments.json_file == "-")
        std::cout << json;
    else
        print_table(scenario, study);
    if (!arguments.json_file.empty() && arguments.json_file != "-") write_whole(arguments.json_file, json);
    if (!arguments.out_folder.empty()) {
        fs::create_directories(arguments.out_folder);
        write_whole(fs::path(arguments.out_folder) / "results.json", json);
        write_whole(fs::path(arguments.out_folder) / "results.csv", csv_of(study));
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
            std::size_t fitting = 0;
            std::string reason;
            for (const Point& point : points) {
                const Scenario read = scenario.read(point, catalog);
                try {
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
