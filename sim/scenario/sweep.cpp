#include "sim/scenario/sweep.hpp"

#include <fmt/format.h>

#include <cmath>

namespace strata {

namespace {

// A name alone is short for a map that holds it, so that the other fields of the map can be set by path:
// `model: v3` for `model: {preset: v3}`, `platform.accelerator: B200_SXM` for `{part: B200_SXM}`.
std::string field_of_name(const std::string& path) {
    if (path == "model") return "preset";
    return path.rfind("platform.", 0) == 0 && path.find('.', 9) == std::string::npos ? "part" : "value";
}

void spell_out(YAML::Node parent, const std::string& key, const std::string& path) {
    YAML::Node map(YAML::NodeType::Map);
    if (parent[key] && parent[key].IsScalar()) map[field_of_name(path)] = YAML::Clone(parent[key]);
    parent[key] = map;
}

std::vector<std::string> range_values(const YamlField& range, bool logarithmic) {
    range.allow_only({"from", "to", "steps"});
    const double from = range["from"].number(), to = range["to"].number();
    const long long steps = range["steps"].integer(2);
    std::vector<std::string> values;
    if (steps < 2 || steps > static_cast<long long>(ScenarioFile::kMaxPoints)) {
        range["steps"].problem("between 2 and 10^7 steps", std::to_string(steps));
        return values;
    }
    if (logarithmic && (from <= 0 || to <= 0)) {
        range.problem("positive ends of a log range", fmt::format("{} to {}", from, to));
        return values;
    }
    for (long long i = 0; i < steps; ++i) {
        const double t = double(i) / double(steps - 1);
        const double value = logarithmic ? from * std::pow(to / from, t) : from + (to - from) * t;
        values.push_back(fmt::format("{:.10g}", value));
    }
    return values;
}

std::vector<std::string> values_of(const YamlField& axis) {
    const int given = axis["values"].exists() + axis["linear"].exists() + axis["log"].exists();
    std::vector<std::string> values;
    if (given != 1)
        axis.problem("exactly one of 'values', 'linear' and 'log'", fmt::format("{}", given));
    else if (axis["linear"].exists())
        values = range_values(axis["linear"], false);
    else if (axis["log"].exists())
        values = range_values(axis["log"], true);
    else
        for (const YamlField& value : axis["values"].items()) values.push_back(value.text());
    if (given == 1 && values.empty()) axis.problem("at least one value", "none");
    return values;
}

}  // namespace

void set_at(YAML::Node document, const std::string& path, const YAML::Node& value, const std::string& above) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) {
        document[path] = value;
        return;
    }
    const std::string head = path.substr(0, dot);
    if (!document[head] || !document[head].IsMap()) spell_out(document, head, above + head);
    set_at(document[head], path.substr(dot + 1), value, above + head + ".");
}

void set_place(Places& places, const std::string& path, const std::string& place) {
    const std::string below = path + ".";
    std::erase_if(places.of_value, [&](const auto& entry) { return entry.first.rfind(below, 0) == 0; });
    places.of_value[path] = place;
    for (std::size_t dot = path.find('.');; dot = path.find('.', dot + 1)) {
        places.of_key.emplace(path.substr(0, dot), place);
        places.of_value.emplace(path.substr(0, dot), place);
        if (dot == std::string::npos) return;
    }
}

void merge_into(YAML::Node base, const YAML::Node& over) {
    for (const auto& entry : over) {
        const std::string key = entry.first.Scalar();
        if (base[key] && base[key].IsMap() && entry.second.IsMap())
            merge_into(base[key], entry.second);
        else
            base[key] = entry.second;
    }
}

Axis read_axis(const YamlField& field) {
    Axis axis;
    if (!field["zip"].exists()) {
        field.allow_only({"path", "values", "linear", "log"});
        axis.paths = {field["path"].text()};
        for (std::string& value : values_of(field)) axis.values.push_back({std::move(value)});
        return axis;
    }
    field.allow_only({"zip"});
    for (const YamlField& part : field["zip"].items()) {
        part.allow_only({"path", "values", "linear", "log"});
        axis.paths.push_back(part["path"].text());
        const std::vector<std::string> values = values_of(part);
        if (axis.paths.size() == 1) axis.values.resize(values.size());
        if (values.size() != axis.values.size()) {
            part.problem(fmt::format("as many values as the first zipped axis has ({})", axis.values.size()),
                         std::to_string(values.size()));
            return axis;
        }
        for (std::size_t i = 0; i < values.size(); ++i) axis.values[i].push_back(values[i]);
    }
    if (axis.paths.empty()) field["zip"].problem("at least one axis", "none");
    return axis;
}

}  // namespace strata
