#include "sim/study/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/result/run_json.hpp"
#include "sim/scenario/field_unit.hpp"
#include "sim/scenario/schema.hpp"
#include "sim/study/point_runner.hpp"
#include "sim/study/point_store.hpp"
#include "sim/study/simulator_pool.hpp"

namespace strata {

namespace {

// In strata-simulate, the one program that has SystemC.
bool runs_elsewhere(const std::string& engine) { return engine == "systemc" || engine == "packet"; }

class StudyRunner {
public:
    StudyRunner(const ScenarioFile& file, const StudyOptions& options, std::vector<Point> points)
        : file_(file), options_(options), runner_(options.root), points_(std::move(points)) {
        study_ = {file.name(), file.description(), options.engines.empty() ? file.engines() : options.engines, {}, {}};
        note_units();
        const std::vector<std::string>& own = file.engines_of_kind();
        for (const std::string& engine : study_.engines)
            if (std::find(own.begin(), own.end(), engine) == own.end())
                throw InputError("engine",
                                 fmt::format("one of those of this kind of workload: {}", fmt::join(own, ", ")),
                                 "'" + engine + "'");
    }

    Study run() {
        const bool simulates = std::any_of(study_.engines.begin(), study_.engines.end(), runs_elsewhere);
        if (simulates) simulator_ = simulator_path(options_.simulator);
        if (options_.store) keys_.emplace(file_, options_.store->inputs_of(options_.root));
        study_.results.reserve(points_.size() * study_.engines.size());
        for (const Point& point : points_) take(point);
        simulate();
        if (options_.store) options_.store->flush();
        return std::move(study_);
    }

private:
    void note_units() {
        if (points_.empty() || points_.front().settings.empty()) return;
        const auto schema = schema_of("scenario", options_.root + "/scenarios/schema");
        for (const auto& [path, value] : points_.front().settings)
            if (std::string unit = unit_of(schema, path); !unit.empty()) study_.units[path] = std::move(unit);
    }

    void take(const Point& point) {
        std::optional<Scenario> scenario;  // read where an engine's result is not known
        std::string obstacle;
        for (const std::string& engine : study_.engines) {
            study_.results.push_back({point.settings, engine, PointStatus::ok, {}, {}, {}});
            PointResult& result = study_.results.back();
            if (take_known(point, result)) continue;
            if (!scenario) {  // what cannot be read is wrong for every engine: no result
                scenario = file_.read(point, runner_.catalog());
                obstacle = runner_.settle(*scenario);
            }
            if ((scenario->serving || scenario->training || scenario->rl) && engine == "systemc")
                throw InputError("engines", "analytic alone: it prices the steps of serving, of training and of RL",
                                 "systemc");
            if (!obstacle.empty())
                put_aside(obstacle, result);
            else if (!runs_elsewhere(engine))
                run_here(*scenario, result);
            else
                send_later(point, *scenario);
        }
    }

    bool take_known(const Point& point, PointResult& result) {
        if (!options_.store) return false;
        // What simulates is another program, perhaps built from other sources.
        result_keys_.push_back(keys_->of(point, runs_elsewhere(result.engine)
                                                    ? result.engine + " " + options_.store->fingerprint_of(simulator_)
                                                    : result.engine));
        const auto known = options_.store->whole(result_keys_.back());
        if (!known) return false;
        result.status = known->status;
        result.reason = known->reason;
        if (known->status == PointStatus::ok) result.run = run_from_json(nlohmann::ordered_json::parse(known->run));
        count();
        return true;
    }

    void keep(const PointResult& result, const nlohmann::ordered_json& run) {
        if (!options_.store) return;
        RowShape shape{.study = study_.name, .engine = result.engine};
        KeptPoint point{.key = result_keys_[static_cast<std::size_t>(&result - study_.results.data())],
                        .status = result.status,
                        .reason = result.reason,
                        .settings = result.settings};
        for (const auto& setting : result.settings) shape.axes.push_back(setting.first);
        if (result.run) {
            point.run = run.dump();
            for (const auto& [metric, value] : result.run->metrics) {
                if (!std::isfinite(value)) return;  // JSON has no such number, so the run would not come back
                shape.metrics.push_back(metric);
                point.numbers.push_back(value);
            }
        }
        options_.store->keep(shape, {std::move(point)});
    }

    void put_aside(const std::string& reason, PointResult& result) {
        result.status = PointStatus::infeasible;
        result.reason = reason;
        keep(result, {});
        count();
    }

    void run_here(const Scenario& scenario, PointResult& result) {
        try {
            result.run = runner_.run(scenario);
        } catch (const InputError& error) {
            return put_aside(error.what(), result);
        }
        if (options_.store) keep(result, to_json(*result.run));
        count();
    }

    void send_later(const Point& point, const Scenario& scenario) {
        YAML::Node document = YAML::Clone(point.document);
        if (scenario.workload.largest_with) document["workload"]["batch"] = scenario.workload.batch;
        const nlohmann::ordered_json request{{"id", study_.results.size() - 1},
                                             {"root", options_.root},
                                             {"file", file_.file()},
                                             {"document", YAML::Dump(document)}};
        lines_.push_back(request.dump());
        result_of_line_.push_back(study_.results.size() - 1);
    }

    void simulate() {
        simulate_lines(simulator_, options_.jobs, options_.limits, lines_,
                       [this](std::size_t line, const nlohmann::ordered_json& answer) {
                           PointResult& result = study_.results[result_of_line_[line]];
                           const std::string status = answer.at("status");
                           result.status = status == "ok"           ? PointStatus::ok
                                           : status == "infeasible" ? PointStatus::infeasible
                                                                    : PointStatus::failed;
                           if (result.status == PointStatus::ok)
                               result.run = run_from_json(answer.at("run"));
                           else
                               result.reason = answer.at("reason");
                           keep(result, result.run ? answer.at("run") : nlohmann::ordered_json());
                           count();
                       });
    }

    void count() {
        if (options_.progress) options_.progress(++done_, points_.size() * study_.engines.size());
    }

    const ScenarioFile& file_;
    const StudyOptions& options_;
    PointRunner runner_;
    std::vector<Point> points_;
    Study study_;
    std::vector<std::string> lines_;           // of the points that strata-simulate runs
    std::vector<std::size_t> result_of_line_;  // index in study_.results
    std::string simulator_;                    // path of strata-simulate, where it is needed
    std::optional<PointKeys> keys_;            // with a store alone
    std::vector<PointKey> result_keys_;        // of study_.results
    std::size_t done_ = 0;
};

}  // namespace

std::string_view to_string(PointStatus status) {
    return status == PointStatus::ok ? "ok" : status == PointStatus::infeasible ? "infeasible" : "failed";
}

Study run_study(const ScenarioFile& file, const StudyOptions& options) {
    return run_study(file, options, file.points());
}

Study run_study(const ScenarioFile& file, const StudyOptions& options, std::vector<Point> points) {
    return StudyRunner(file, options, std::move(points)).run();
}

}  // namespace strata
