#include "sim/scenario/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sim/scenario/choices.hpp"

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

// "2 TB/s" -> 2 and " TB/s"; a bare number has no unit.
std::pair<double, std::string> range_end(const YamlField& field) {
    const std::string text = field.text();
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, number);
    const bool spaced = rest != end && *rest == ' ' && std::none_of(rest + 1, end, [](char c) { return c == ' '; });
    if (status != std::errc() || !std::isfinite(number) || (rest != end && !spaced))
        field.problem("a number such as 64, or one with its unit such as '2 TB/s'", "'" + text + "'");
    return {number, std::string(rest, end)};
}

AxisRange range_of(const YamlField& field) {
    field.allow_only({"from", "to", "scale", "step"});
    const auto [from, unit] = range_end(field["from"]);
    const auto [to, unit_of_to] = range_end(field["to"]);
    AxisRange range{.from = from, .to = to, .unit = unit};
    if (field["scale"].exists()) range.log = one_of<bool>(field["scale"], {{"linear", false}, {"log", true}});
    if (field["step"].exists()) range.step = field["step"].number();
    if (unit != unit_of_to) field.problem("both ends in the same unit", "'" + unit + "' and '" + unit_of_to + "'");
    if (!(from < to)) field.problem("ends with 'from' below 'to'", fmt::format("{} to {}", from, to));
    if (range.log && from <= 0) field.problem("positive ends of a log scale", fmt::format("from {}", from));
    if (field["step"].exists() && !(range.step > 0 && std::isfinite(range.step)))
        field["step"].problem("a step above 0", fmt::format("{}", range.step));
    return range;
}

std::vector<std::string> values_of(const YamlField& axis) {
    const int given = axis["values"].exists() + axis["linear"].exists() + axis["log"].exists();
    std::vector<std::string> values;
    if (given != 1)
        axis.problem("exactly one of 'values', 'linear', 'log' and 'range'", fmt::format("{}", given));
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

bool is_at_or_below(const std::string& path, const std::string& above) {
    return path.starts_with(above) &&
           (path.size() == above.size() || path[above.size()] == '.' || path[above.size()] == '[');
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

namespace {

constexpr const char* kBothKinds = "all of the zipped axes to have values, or all a range";

// A part of a zip, or an axis of one path.
void read_path(const YamlField& part, Axis& axis) {
    part.allow_only({"path", "values", "linear", "log", "range"});
    axis.paths.push_back(part["path"].text());
    const std::vector<std::string> values = part["range"].exists() ? std::vector<std::string>{} : values_of(part);
    if (part["range"].exists()) {
        const int others = part["values"].exists() + part["linear"].exists() + part["log"].exists();
        if (others > 0)
            part.problem("exactly one of 'values', 'linear', 'log' and 'range'", std::to_string(others + 1));
        axis.ranges.push_back(range_of(part["range"]));
        if (axis.ranges.size() != axis.paths.size()) part.problem(kBothKinds, "both");
        return;
    }
    if (axis.is_range()) return part.problem(kBothKinds, "both");
    if (axis.paths.size() == 1) axis.values.resize(values.size());
    if (values.size() != axis.values.size())
        return part.problem(fmt::format("as many values as the first zipped axis has ({})", axis.values.size()),
                            std::to_string(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) axis.values[i].push_back(values[i]);
}

}  // namespace

Axis read_axis(const YamlField& field) {
    Axis axis;
    if (!field["zip"].exists()) {
        read_path(field, axis);
        return axis;
    }
    field.allow_only({"zip"});
    for (const YamlField& part : field["zip"].items()) read_path(part, axis);
    if (axis.paths.empty()) field["zip"].problem("at least one axis", "none");
    return axis;
}

}  // namespace strata
