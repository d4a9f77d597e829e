// Studies that were run before, by the window or by `strata run --out`.
#include <charconv>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "app/gui/models/known_study.hpp"
#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"
#include "sim/result/run_json.hpp"
#include "sim/study/point_store.hpp"
#include "sim/study/sqlite.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

constexpr const char* kResults = "strata-results/1";

PointStatus status_from(const std::string& text) {
    return text == "ok" ? PointStatus::ok : text == "infeasible" ? PointStatus::infeasible : PointStatus::failed;
}

// "[1.5,null,2]" in the order of `names`; as a store writes them, so without blanks.
std::map<std::string, double> metrics_from(const char* at, const std::vector<std::string>& names) {
    std::map<std::string, double> metrics;
    const std::string_view text(at);
    const char* end = text.data() + text.size();
    for (const std::string& name : names) {
        if (at == end || *at == ']') break;
        ++at;  // "[" or ","
        double value = 0;
        if (const auto read = std::from_chars(at, end, value); read.ec == std::errc()) {
            metrics.emplace_hint(metrics.end(), name, value);
            at = read.ptr;
        } else {
            while (at != end && *at != ',' && *at != ']') ++at;  // null: there is none
        }
    }
    return metrics;
}

struct Shape {
    std::string study, engine;
    std::vector<std::string> axes, metrics;
};

using Shapes = std::map<std::int64_t, Shape>;

Shapes shapes_of(Database& database) {
    Shapes shapes;
    Statement rows(database, "SELECT id, study, engine, axes, metrics FROM shape");
    while (rows.step())
        shapes[rows.number(0)] = {rows.text(1), rows.text(2), nlohmann::json::parse(rows.text(3)),
                                  nlohmann::json::parse(rows.text(4))};
    return shapes;
}

// Of the rows `from` up to `to`, by their number.
std::vector<PointResult> rows_of(const std::string& file, const Shapes& shapes, std::int64_t from, std::int64_t to) {
    Database database(file);
    std::vector<PointResult> results;
    Statement rows(database,
                   "SELECT status, reason, shape, settings, numbers FROM point WHERE id >= ? AND id < ? ORDER BY id");
    rows.start().bind(from).bind(to);
    while (rows.step()) {
        const Shape& shape = shapes.at(rows.number(2));
        PointResult& result = results.emplace_back();
        result.engine = shape.engine;
        result.status = status_from(rows.text(0));
        result.reason = rows.text(1);
        const std::vector<std::string> values = nlohmann::json::parse(rows.text(3));
        for (std::size_t i = 0; i < std::min(values.size(), shape.axes.size()); ++i)
            result.settings.emplace_back(shape.axes[i], values[i]);
        if (result.status != PointStatus::ok) continue;
        Run& run = result.run.emplace();
        run.engine = shape.engine;
        run.metrics = metrics_from(rows.text(4).c_str(), shape.metrics);
    }
    return results;
}

// Settings, metrics and reasons alone: that is what tables and clouds show, and it is read a hundred times faster than
// whole runs are. One half is read beside the other.
Study from_store(const std::string& file) {
    const PointStore checks(file);  // that it is one, and of this version
    Database database(file);
    const Shapes shapes = shapes_of(database);
    const std::int64_t end = database.number("SELECT coalesce(max(id), 0) + 1 FROM point"), middle = end / 2;
    auto second = std::async(std::launch::async, [&] { return rows_of(file, shapes, middle, end); });
    Study study;
    study.results = rows_of(file, shapes, 0, middle);
    std::vector<PointResult> rest = second.get();
    study.results.reserve(study.results.size() + rest.size());
    std::ranges::move(rest, std::back_inserter(study.results));
    for (const PointResult& result : study.results)
        if (std::ranges::find(study.engines, result.engine) == study.engines.end())
            study.engines.push_back(result.engine);
    if (!shapes.empty()) study.name = shapes.begin()->second.study;
    return study;
}

PointResult result_from(const nlohmann::ordered_json& point) {
    PointResult result;
    for (const auto& [path, value] : point.at("settings").items()) result.settings.emplace_back(path, value);
    result.engine = point.at("engine");
    result.status = status_from(point.at("status"));
    result.reason = point.value("reason", "");
    if (result.status == PointStatus::ok) result.run = run_from_json(point);
    return result;
}

Study from_results(const std::string& file) {
    try {
        const auto document = nlohmann::ordered_json::parse(whole_file(file));
        const std::string schema = document.is_object() ? document.value("schema", "none") : "none";
        if (schema != kResults)
            throw InputError(file, std::string("results of the schema ") + kResults,
                             schema.starts_with("strata-results/")
                                 ? schema + ": a newer strata wrote it; open it with that one"
                                 : "another kind of file");
        Study study;
        study.name = document.at("scenario");
        for (const auto& point : document.at("points")) {
            study.results.push_back(result_from(point));
            const std::string& engine = study.results.back().engine;
            if (std::ranges::find(study.engines, engine) == study.engines.end()) study.engines.push_back(engine);
        }
        return study;
    } catch (const nlohmann::json::exception& error) {
        throw InputError(file, std::string("results of the schema ") + kResults, error.what());
    }
}

}  // namespace

bool is_study(const std::string& file) {
    return fs::is_directory(file) || file.ends_with(".json") || file.ends_with(".sqlite");
}

std::shared_ptr<const KnownStudy> open_study(const std::string& file) {
    std::string found = file;
    if (fs::is_directory(file))
        found = fs::exists(file + "/study.sqlite") ? file + "/study.sqlite" : file + "/results.json";
    if (!fs::exists(found)) throw InputError(file, "a study: study.sqlite or results.json", "none");
    return known_study(found.ends_with(".sqlite") ? from_store(found) : from_results(found), {});
}

}  // namespace strata
