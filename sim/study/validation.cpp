#include "sim/study/validation.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "sim/result/provenance.hpp"
#include "sim/study/cost_validation.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;
using Settings = std::vector<std::string>;  // "path=value"

// What the rows of one file have in common.
struct Measure {
    std::string file, metric, unit, source;
    YAML::Node scenario;
    double scale = 1;
    bool inverse = false;  // the published number is scale / metric
    Settings against;      // if any: the loss in percent of the metric against the scenario with these set
};

Settings settings_of(const YamlField& field) {
    Settings settings;
    for (const std::string& path : field.exists() ? field.keys() : std::vector<std::string>{})
        settings.push_back(path + "=" + YAML::Dump(field.node()[path]));
    return settings;
}

// Runs by what was run: several files hold metrics of the same one.
class Runs {
public:
    explicit Runs(const StudyOptions& options) : options_(options) {}

    const Run& of(const Measure& measure, const Settings& settings) {
        const std::string key = fmt::format("{}\n{}", YAML::Dump(measure.scenario), fmt::join(settings, "\n"));
        if (const auto known = runs_.find(key); known != runs_.end()) return known->second;
        const ScenarioFile scenario(measure.file, measure.scenario, options_.root + "/scenarios/models", settings);
        const Study study = run_study(scenario, options_);
        const PointResult& result = study.results.front();
        if (!result.run) throw InputError(measure.file + ": " + result.reason);
        return runs_[key] = *result.run;
    }

private:
    const StudyOptions& options_;
    std::map<std::string, Run> runs_;
};

double metric_of(const Measure& measure, const Settings& settings, Runs& runs, std::string* provenance) {
    const Run& run = runs.of(measure, settings);
    const auto found = run.metrics.find(measure.metric);
    if (found == run.metrics.end())
        throw InputError(measure.file + ": metric", "one that this scenario has", "'" + measure.metric + "'");
    if (provenance) *provenance = provenance_of(run, measure.metric);
    return found->second;
}

double predict(const Measure& measure, const Settings& settings, Runs& runs, LedgerRow& row) {
    const double value = metric_of(measure, settings, runs, &row.provenance);
    if (measure.inverse) return measure.scale / value;
    if (measure.against.empty()) return value * measure.scale;
    Settings base = settings;
    base.insert(base.end(), measure.against.begin(), measure.against.end());
    return 100 * (1 - value / metric_of(measure, base, runs, nullptr));
}

Measure read_measure(const YamlField& root, const std::string& file) {
    root.allow_only(
        {"source", "about", "unit", "metric", "scale", "inverse", "loss_against", "tolerance", "scenario", "rows"});
    Measure measure;
    measure.file = file;
    measure.source = root["source"].text();
    if (measure.source.empty()) root["source"].problem("where the result was published", "nothing");
    measure.metric = root["metric"].text();
    measure.unit = root["unit"].text();
    if (root["scale"].exists()) measure.scale = root["scale"].number(1);
    if (root["inverse"].exists()) measure.inverse = root["inverse"].boolean();
    measure.against = settings_of(root["loss_against"]);
    if (!root["scenario"].is_map()) root["scenario"].problem("a scenario", "none");
    measure.scenario = root["scenario"].node();
    return measure;
}

// {relative: 0.25} or {absolute: 1.5}, the latter in the row's unit.
void read_tolerance(LedgerRow& row, const YamlField& field) {
    field.allow_only({"relative", "absolute"});
    row.absolute = field["absolute"].exists();
    row.tolerance = field[row.absolute ? "absolute" : "relative"].number();
    if (!(row.tolerance > 0)) field.problem("a tolerance above 0", fmt::format("{}", row.tolerance));
}

LedgerRow read_row(const YamlField& field, const YamlField& root, const Measure& measure) {
    field.allow_only({"id", "published", "above", "set", "tolerance", "note"});
    LedgerRow row;
    row.id = field["id"].text();
    row.source = measure.source;
    row.unit = measure.unit;
    if (field["note"].exists()) row.note = field["note"].text();
    if (field["above"].exists())
        row.above = field["above"].text();
    else
        row.published = field["published"].number();
    read_tolerance(row, field["tolerance"].exists() ? field["tolerance"] : root["tolerance"]);
    return row;
}

// A row above another must exceed it by the tolerance; all others must be within it.
bool passes(const LedgerRow& row, const std::vector<LedgerRow>& rows) {
    if (row.above.empty()) return std::abs(*row.error()) <= row.tolerance;
    const auto other = std::find_if(rows.begin(), rows.end(), [&](const LedgerRow& r) { return r.id == row.above; });
    if (other == rows.end()) throw InputError(row.id + ": above", "the id of another row", "'" + row.above + "'");
    const double margin = row.absolute ? row.tolerance : row.tolerance * other->predicted;
    return row.predicted >= other->predicted + margin;
}

void predict_file(const std::string& file, Runs& runs, const std::string& only, std::vector<LedgerRow>& into) {
    Problems problems;
    const YamlField root(load_yaml(file), file, "", problems);
    const Measure measure = read_measure(root, file);
    std::vector<LedgerRow> rows;
    std::vector<Settings> settings;
    for (const YamlField& field : root["rows"].items()) {
        rows.push_back(read_row(field, root, measure));
        settings.push_back(settings_of(field["set"]));
    }
    problems.throw_if_any();
    const auto wanted = [&](const LedgerRow& row) { return fnmatch(only.c_str(), row.id.c_str(), 0) == 0; };
    if (std::none_of(rows.begin(), rows.end(), wanted)) return;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].file = fs::path(file).stem().string();
        rows[i].predicted = predict(measure, settings[i], runs, rows[i]);
    }
    for (LedgerRow& row : rows) row.pass = passes(row, rows);
    into.insert(into.end(), rows.begin(), rows.end());
}

}  // namespace

std::optional<double> LedgerRow::error() const {
    if (!published) return std::nullopt;
    return absolute ? predicted - *published : predicted / *published - 1;
}

std::vector<LedgerSummary> summaries_of(const std::vector<LedgerRow>& rows) {
    std::vector<LedgerSummary> summaries;
    std::map<std::string, std::vector<double>> errors;
    for (const LedgerRow& row : rows) {
        if (row.file.empty() || row.absolute || !row.error()) continue;
        if (errors[row.file].empty()) summaries.push_back({.file = row.file});
        errors[row.file].push_back(std::abs(*row.error()));
        LedgerSummary& summary = *std::find_if(summaries.begin(), summaries.end(),
                                               [&](const LedgerSummary& one) { return one.file == row.file; });
        ++summary.rows;
        summary.within += row.pass;
    }
    for (LedgerSummary& summary : summaries) {
        std::vector<double>& of_file = errors[summary.file];
        std::sort(of_file.begin(), of_file.end());
        for (const double error : of_file) summary.mean_error += error / double(of_file.size());
        summary.median_error = (of_file[(of_file.size() - 1) / 2] + of_file[of_file.size() / 2]) / 2;
    }
    return summaries;
}

std::vector<LedgerRow> validate(const std::string& folder, const std::string& only, const StudyOptions& options) {
    if (!fs::is_directory(folder)) throw InputError(folder + ": no such folder of ledger files");
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    std::vector<LedgerRow> rows;
    Runs runs(options);
    if (!only.starts_with("cost/"))
        for (const std::string& file : files) predict_file(file, runs, only, rows);
    if (fs::is_directory(folder + "/cost")) {  // a ledger of one's own need not judge the cost book
        const std::vector<LedgerRow> costs = validate_costs(folder + "/cost", options.root, only);
        rows.insert(rows.end(), costs.begin(), costs.end());
    }
    std::erase_if(rows, [&](const LedgerRow& row) { return fnmatch(only.c_str(), row.id.c_str(), 0) != 0; });
    if (rows.empty()) throw InputError("--only", "the id of a row of the ledger, or a pattern", "'" + only + "'");
    return rows;
}

}  // namespace strata
