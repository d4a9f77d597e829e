#include "reports/gate/predictions.hpp"

#include <fmt/format.h>

#include <cmath>

#include "hwmodels/measurement.hpp"
#include "reports/files.hpp"
#include "reports/gate/step_band.hpp"
#include "sim/result/provenance.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

// "low" and "high" beside a metric are the ends of its band; they stay metrics of their own.
void band_by_name(std::map<std::string, Number>& metrics) {
    for (auto& [name, number] : metrics) {
        const auto low = metrics.find(name + "_low"), high = metrics.find(name + "_high");
        if (low != metrics.end() && high != metrics.end()) number.band = Band{low->second.value, high->second.value};
    }
}

std::map<std::string, Number> metrics_from(const Json& point) {
    std::map<std::string, Number> metrics;
    for (const auto& [name, value] : point.at("metrics").items())
        if (!value.is_null()) metrics[name].value = value.get<double>();  // null: not a number, nothing to compare
    band_by_name(metrics);
    std::optional<Band> relative;
    if (point.contains("step_band"))
        relative = Band{point.at("step_band").at("low"), point.at("step_band").at("high")};
    else if (point.contains("critical_path"))
        relative = step_band(point.at("critical_path"));
    if (relative) add_step_bands(metrics, *relative);
    return metrics;
}

// The largest share; a point without shares says it itself, or is modelled.
std::string provenance_from(const Json& point) {
    if (point.contains("provenance")) return point.at("provenance");
    std::string largest = "modelled";
    double most = 0;
    if (point.contains("share_of_compute_by_origin"))
        for (const auto& [origin, share] : point.at("share_of_compute_by_origin").items())
            if (share.get<double>() > most) {
                most = share;
                largest = origin;
            }
    return largest;
}

std::string name_from(const Json& point) {
    std::string name;
    if (point.contains("settings"))
        for (const auto& [path, value] : point.at("settings").items())
            name += fmt::format("{}={}, ", path, value.is_string() ? value.get<std::string>() : value.dump());
    return name + point.at("engine").get<std::string>();
}

PredictedPoint point_from(const Json& point, const std::string& scenario) {
    PredictedPoint read{.scenario = scenario, .name = name_from(point), .status = point.at("status")};
    if (read.status != "ok") return read;
    read.provenance = provenance_from(point);
    read.metrics = metrics_from(point);
    return read;
}

// Of a search what it recommends: the points around it are there to be compared with it.
Predictions from_search(const Json& document) {
    if (!document.contains("recommended")) return {};
    const Json& recommended = document.at("recommended");
    PredictedPoint point{.scenario = document.at("scenario"), .name = "recommended, " + name_from(recommended)};
    point.provenance = provenance_from(recommended);
    point.metrics = metrics_from(recommended);
    return {point};
}

Predictions from_document(const Json& document, const std::string& name) {
    const std::string schema = document.is_object() ? document.value("schema", "") : "";
    Predictions predictions;
    if (schema == "strata-search/1") return from_search(document);
    if (schema == "strata-results/1") {
        for (const Json& point : document.at("points"))
            predictions.push_back(point_from(point, document.at("scenario")));
    } else if (schema == "strata-baseline/1") {
        for (const Json& scenario : document.at("scenarios"))
            for (const Json& point : scenario.at("points"))
                predictions.push_back(point_from(point, scenario.at("file")));
    } else {
        throw InputError(
            name,
            "results of 'strata run --json', a baseline of 'strata baseline' or a record (.jsonl) of 'strata "
            "measure host --out'",
            schema.empty() ? "JSON without such a schema" : "schema '" + schema + "'");
    }
    return predictions;
}

// Each metric has a median and the least and most of the repeats.
Predictions from_record(const std::string& file) {
    Predictions points;
    for (const Measurement& measurement : read_measurements(file)) {
        const std::string parameters = parameters_text(measurement);
        PredictedPoint point{.scenario = "",
                             .name = measurement.what + (parameters.empty() ? "" : ", " + parameters),
                             .provenance = "measured"};
        for (const auto& [metric, spread] : measurement.metrics)
            point.metrics[metric] = {spread.median, Band{spread.min, spread.max}};
        points.push_back(std::move(point));
    }
    return points;
}

}  // namespace

Predictions predictions_from(const std::string& text, const std::string& name) {
    try {
        return from_document(Json::parse(text), name);
    } catch (const Json::parse_error& error) {
        throw InputError(fmt::format("{}: no JSON: {}", name, error.what()));
    } catch (const Json::exception& error) {
        throw InputError(fmt::format("{}: a field is missing or of another type: {}", name, error.what()));
    }
}

Predictions read_predictions(const std::string& file) {
    if (file.ends_with(".jsonl")) return from_record(file);
    return predictions_from(whole_file(file), file);
}

Predictions predictions_of(const std::string& scenario, const std::vector<PointResult>& results) {
    Predictions predictions;
    for (const PointResult& result : results) predictions.push_back(point_from(baseline_point(result), scenario));
    return predictions;
}

Json baseline_point(const PointResult& result) {
    Json settings = Json::object();
    for (const auto& [path, value] : result.settings) settings[path] = value;
    Json point{{"settings", settings}, {"engine", result.engine}, {"status", to_string(result.status)}};
    if (!result.run) return point;
    point["provenance"] = provenance_of(*result.run, "");
    if (const auto band = result.run->path ? step_band(*result.run->path) : std::nullopt)
        point["step_band"] = {{"low", band->low}, {"high", band->high}};
    for (const auto& [metric, value] : result.run->metrics)
        point["metrics"][metric] = std::isfinite(value) ? Json(value) : Json();
    return point;
}

}  // namespace strata
