#include "sim/study/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/result/run_json.hpp"
#include "sim/scenario/field_unit.hpp"
#include "sim/scenario/point_reader.hpp"
#include "sim/scenario/schema.hpp"
#include "sim/study/point_runner.hpp"
#include "sim/study/point_store.hpp"
#include "sim/study/simulator_pool.hpp"

namespace strata {

namespace {

// In strata-simulate, the one program that has SystemC.
bool runs_elsewhere(const std::string& engine) { return engine == "systemc" || engine == "packet"; }

// What a study runs: settings of the file's axes, or documents of any origin.
class StudyPoints {
public:
    StudyPoints(const ScenarioFile& file, std::vector<Settings> settings)
        : file_(file), settings_(std::move(settings)) {}
    StudyPoints(const ScenarioFile& file, const std::vector<Point>& points) : file_(file) {
        for (const Point& point : points) {
            settings_.push_back(point.settings);
            documents_.push_back(point.document);
        }
    }

    std::size_t size() const { return settings_.size(); }
    const Settings& settings(std::size_t i) const { return settings_[i]; }
    YAML::Node document(std::size_t i) const {
        return documents_.empty() ? file_.point_with(settings_[i]).document : YAML::Clone(documents_[i]);
    }
    Scenario read(std::size_t i, const Catalog& catalog) {
        if (!documents_.empty()) return file_.read({settings_[i], documents_[i]}, catalog);
        if (!reader_) reader_.emplace(file_, catalog);
        return reader_->read(settings_[i]);
    }
    PointKey key(std::size_t i, PointKeys& keys, const std::string& engine) const {
        return documents_.empty() ? keys.of(settings_[i], engine) : keys.of(Point{settings_[i], documents_[i]}, engine);
    }

private:
    const ScenarioFile& file_;
    std::vector<Settings> settings_;
    std::vector<YAML::Node> documents_;
    std::optional<PointReader> reader_;
};

class StudyRunner {
public:
    StudyRunner(const ScenarioFile& file, const StudyOptions& options, StudyPoints points)
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
        for (std::size_t i = 0; i < points_.size(); ++i) take(i);
        simulate();
        if (options_.store) options_.store->flush();
        return std::move(study_);
    }

private:
    // A point that strata-simulate runs.
    struct Later {
        std::size_t point, result;    // the latter an index in study_.results
        std::optional<double> batch;  // that was found, where it asks for the largest
    };

    void note_units() {
        if (points_.size() == 0 || points_.settings(0).empty()) return;
        const auto schema = schema_of("scenario", options_.root + "/scenarios/schema");
        for (const auto& [path, value] : points_.settings(0))
            if (std::string unit = unit_of(schema, path); !unit.empty()) study_.units[path] = std::move(unit);
    }

    void take(std::size_t point) {
        std::optional<Scenario> scenario;  // read where an engine's result is not known
        std::string obstacle;
        for (const std::string& engine : study_.engines) {
            study_.results.push_back({points_.settings(point), engine, PointStatus::ok, {}, {}, {}});
            PointResult& result = study_.results.back();
            if (take_known(point, result)) continue;
            if (!scenario) {  // what cannot be read is wrong for every engine: no result
                scenario = points_.read(point, runner_.catalog());
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

    bool take_known(std::size_t point, PointResult& result) {
        if (!options_.store) return false;
        // What simulates is another program, perhaps built from other sources.
        result_keys_.push_back(points_.key(point, *keys_,
                                           runs_elsewhere(result.engine)
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

    void keep(const PointResult& result, std::string run) {
        if (!options_.store) return;
        RowShape shape{.study = study_.name, .engine = result.engine};
        KeptPoint point{.key = result_keys_[static_cast<std::size_t>(&result - study_.results.data())],
                        .status = result.status,
                        .reason = result.reason,
                        .settings = result.settings};
        for (const auto& setting : result.settings) shape.axes.push_back(setting.first);
        if (result.run) {
            point.run = std::move(run);
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
        keep(result, "");
        count();
    }

    void run_here(const Scenario& scenario, PointResult& result) {
        try {
            result.run = runner_.run(scenario);
        } catch (const InputError& error) {
            return put_aside(error.what(), result);
        }
        if (options_.store) keep(result, to_json(*result.run).dump());
        count();
    }

    void send_later(std::size_t point, const Scenario& scenario) {
        later_.push_back({.point = point, .result = study_.results.size() - 1, .batch = {}});
        if (scenario.workload.largest_with) later_.back().batch = scenario.workload.batch;
    }

    // Made when a simulator is free for it: a million of them would fill the memory.
    std::string line_of(const Later& later) const {
        YAML::Node document = points_.document(later.point);
        if (later.batch) document["workload"]["batch"] = *later.batch;
        const nlohmann::ordered_json request{
            {"id", later.result}, {"root", options_.root}, {"file", file_.file()}, {"document", YAML::Dump(document)}};
        return request.dump();
    }

    void simulate() {
        simulate_lines(
            simulator_, options_.jobs, options_.limits, later_.size(),
            [this](std::size_t line) { return line_of(later_[line]); },
            [this](std::size_t line, const nlohmann::ordered_json& answer) {
                PointResult& result = study_.results[later_[line].result];
                const std::string status = answer.at("status");
                result.status = status == "ok"           ? PointStatus::ok
                                : status == "infeasible" ? PointStatus::infeasible
                                                         : PointStatus::failed;
                if (result.status == PointStatus::ok)
                    result.run = run_from_json(answer.at("run"));
                else
                    result.reason = answer.at("reason");
                keep(result, result.run ? answer.at("run").dump() : "");
                count();
            });
    }

    void count() {
        if (options_.progress) options_.progress(++done_, points_.size() * study_.engines.size());
    }

    const ScenarioFile& file_;
    const StudyOptions& options_;
    PointRunner runner_;
    StudyPoints points_;
    Study study_;
    std::vector<Later> later_;
    std::string simulator_;              // path of strata-simulate, where it is needed
    std::optional<PointKeys> keys_;      // with a store alone
    std::vector<PointKey> result_keys_;  // of study_.results
    std::size_t done_ = 0;
};

}  // namespace

std::string_view to_string(PointStatus status) {
    return status == PointStatus::ok ? "ok" : status == PointStatus::infeasible ? "infeasible" : "failed";
}

Study run_study(const ScenarioFile& file, const StudyOptions& options) {
    return run_study(file, options, file.settings());
}

Study run_study(const ScenarioFile& file, const StudyOptions& options, std::vector<Settings> points) {
    return StudyRunner(file, options, {file, std::move(points)}).run();
}

Study run_study(const ScenarioFile& file, const StudyOptions& options, const std::vector<Point>& points) {
    return StudyRunner(file, options, {file, points}).run();
}

}  // namespace strata
