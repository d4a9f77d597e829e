#include "hwmodels/yaml_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "hwmodels/yaml_limits.hpp"

namespace strata {

namespace {

struct Unit {
    std::string_view dimension;
    double si;
};

// Decimal prefixes as vendors quote them; binary ones only where written with an i. `b` is a bit, `B` a byte.
const std::map<std::string, Unit, std::less<>>& units() {
    static const std::map<std::string, Unit, std::less<>> all{
        {"B", {"bytes", 1}},
        {"KB", {"bytes", 1e3}},
        {"MB", {"bytes", 1e6}},
        {"GB", {"bytes", 1e9}},
        {"TB", {"bytes", 1e12}},
        {"KiB", {"bytes", 1024.0}},
        {"MiB", {"bytes", 1048576.0}},
        {"GiB", {"bytes", 1073741824.0}},
        {"TiB", {"bytes", 1099511627776.0}},
        {"MB/s", {"bandwidth", 1e6}},
        {"GB/s", {"bandwidth", 1e9}},
        {"TB/s", {"bandwidth", 1e12}},
        {"Gb/s", {"bandwidth", 1e9 / 8}},
        {"Tb/s", {"bandwidth", 1e12 / 8}},
        {"s", {"time", 1}},
        {"ms", {"time", 1e-3}},
        {"us", {"time", 1e-6}},
        {"ns", {"time", 1e-9}},
        {"ps", {"time", 1e-12}},
        {"GFLOPS", {"flop rate", 1e9}},
        {"TFLOPS", {"flop rate", 1e12}},
        {"PFLOPS", {"flop rate", 1e15}},
    };
    return all;
}

double parse_quantity(const std::string& text, const std::string& where, std::string_view dimension,
                      const std::string& example) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, value);
    if (status != std::errc() || !std::isfinite(value)) throw InputError(where, example, "'" + text + "'");
    std::string_view unit(rest, end);
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    const auto known = units().find(unit);
    if (known == units().end() || known->second.dimension != dimension)
        throw InputError(where, example, "'" + text + "'");
    if (value < 0) throw InputError(where, example + " that is not negative", "'" + text + "'");
    return value * known->second.si;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

void Problems::throw_if_any() const {
    if (!messages_.empty()) throw InputError(fmt::format("{}", fmt::join(messages_, "\n")));
}

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

Bytes parse_bytes(const std::string& text, const std::string& where) {
    return Bytes(parse_quantity(text, where, "bytes", "a size such as '80 GB'"));
}
Bandwidth parse_bandwidth(const std::string& text, const std::string& where) {
    return Bandwidth(parse_quantity(text, where, "bandwidth", "a bandwidth such as '64 GB/s'"));
}
Seconds parse_seconds(const std::string& text, const std::string& where) {
    return Seconds(parse_quantity(text, where, "time", "a time such as '1.2 us'"));
}
FlopRate parse_flop_rate(const std::string& text, const std::string& where) {
    return FlopRate(parse_quantity(text, where, "flop rate", "a rate such as '989 TFLOPS'"));
}

namespace {

std::string place_of(const YAML::Node& node, const std::string& file) {
    const YAML::Mark mark = node.IsDefined() ? node.Mark() : YAML::Mark::null_mark();
    return mark.is_null() ? file : fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1);
}

void note_places(Places& places, const YAML::Node& node, const std::string& file, const std::string& path) {
    places.of_value.emplace(path, place_of(node, file));
    if (node.IsMap())
        for (const auto& entry : node) {
            const std::string below = path.empty() ? entry.first.Scalar() : path + "." + entry.first.Scalar();
            places.of_key[below] = place_of(entry.first, file);  // of a key given twice, the second
            note_places(places, entry.second, file, below);
        }
    if (node.IsSequence())
        for (std::size_t i = 0; i < node.size(); ++i)
            note_places(places, node[i], file, fmt::format("{}[{}]", path, i));
}

// Of the path itself, or of what should have held it.
std::string nearest_place(const std::map<std::string, std::string>& places, std::string path,
                          const std::string& fallback) {
    while (true) {
        const auto found = places.find(path);
        if (found != places.end()) return found->second;
        if (path.empty()) return fallback;
        const std::size_t end = path.find_last_of(".[");
        path.resize(end == std::string::npos ? 0 : end);
    }
}

}  // namespace

Places places_of(const YAML::Node& document, const std::string& file) {
    Places places;
    note_places(places, document, file, "");
    return places;
}

std::string YamlField::place() const {
    return places_ ? nearest_place(places_->of_value, path_, file_) : place_of(node_, file_);
}

std::string YamlField::where() const { return path_.empty() ? place() : place() + ": " + path_; }

YamlField YamlField::child(const YAML::Node& node, const std::string& path) const {
    // A missing child has no mark of its own: its errors point to the map that should have held it.
    return YamlField(node, node.IsDefined() || places_ ? file_ : place(), path, *problems_, places_);
}

YamlField YamlField::operator[](const std::string& key) const {
    const std::string path = path_.empty() ? key : path_ + "." + key;
    // Not node_[key]: for a key that is not there yaml-cpp writes an error message that nobody reads.
    if (is_map())
        for (const auto& entry : node_)
            if (entry.first.IsScalar() && entry.first.Scalar() == key) return child(entry.second, path);
    return child(YAML::Node(YAML::NodeType::Undefined), path);
}

std::vector<YamlField> YamlField::items() const {
    std::vector<YamlField> all;
    if (!is_sequence()) {
        problem("a list", is_null() ? "nothing" : "something else");
        return all;
    }
    for (std::size_t i = 0; i < node_.size(); ++i) all.push_back(child(node_[i], fmt::format("{}[{}]", path_, i)));
    return all;
}

std::vector<std::string> YamlField::keys() const {
    std::vector<std::string> all;
    if (is_map())
        for (const auto& entry : node_) all.push_back(entry.first.Scalar());
    return all;
}

void YamlField::allow_only(const std::vector<std::string>& allowed) const {
    if (!is_map()) {
        problem("a map of fields", is_null() ? "nothing" : "something else");
        return;
    }
    std::set<std::string> seen;
    for (const auto& entry : node_) {
        const std::string key = entry.first.Scalar();
        const std::string path = path_.empty() ? key : path_ + "." + key;
        const std::string place = places_ ? nearest_place(places_->of_key, path, file_) : place_of(entry.first, file_);
        const YamlField field(YAML::Node(YAML::NodeType::Undefined), place, path, *problems_);
        if (!seen.insert(key).second) field.problem("this field is given twice");
        if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
        const auto meant = nearest_name(key, allowed);
        field.problem(meant ? fmt::format("unknown field; did you mean '{}'?", *meant)
                            : fmt::format("unknown field; valid here: {}", fmt::join(allowed, ", ")));
    }
}

void YamlField::problem(const std::string& expected, const std::string& found) const {
    problems_->add(fmt::format("{}: expected {}, found {}", where(), expected, found));
}

void YamlField::problem(const std::string& what) const { problems_->add(where() + ": " + what); }

namespace {
std::string shown(const YamlField& field) {
    if (field.is_null()) return field.exists() ? "null" : "nothing";
    return field.node().IsScalar() ? "'" + field.node().Scalar() + "'" : field.is_map() ? "a map" : "a list";
}
}  // namespace

std::string YamlField::text(const std::string& fallback) const {
    if (!is_null() && node_.IsScalar()) return node_.Scalar();
    problem("a text", shown(*this));
    return fallback;
}

double YamlField::number(double fallback) const {
    if (!is_null() && node_.IsScalar()) {
        const std::string& text = node_.Scalar();
        double value = 0;
        const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (status == std::errc() && rest == text.data() + text.size() && std::isfinite(value)) return value;
    }
    problem("a number", shown(*this));
    return fallback;
}

long long YamlField::integer(long long fallback) const {
    if (!is_null() && node_.IsScalar()) {
        const std::string& text = node_.Scalar();
        long long value = 0;
        const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (status == std::errc() && rest == text.data() + text.size()) return value;
    }
    problem("a whole number", shown(*this));
    return fallback;
}

bool YamlField::boolean(bool fallback) const {
    // YAML 1.1's yes, no, on and off are refused: they surprise more often than they help.
    if (!is_null() && node_.IsScalar() && (node_.Scalar() == "true" || node_.Scalar() == "false"))
        return node_.Scalar() == "true";
    problem("true or false", shown(*this));
    return fallback;
}

namespace {
template <class Parse>
auto quantity(const YamlField& field, Problems& problems, Parse parse) -> decltype(parse("", "")) {
    try {
        const bool scalar = !field.is_null() && field.node().IsScalar();
        return parse(scalar ? field.node().Scalar() : "", field.where());
    } catch (const InputError& error) {
        problems.add(error.what());
        return {};
    }
}
}  // namespace

Bytes YamlField::bytes() const { return quantity(*this, *problems_, parse_bytes); }
Bandwidth YamlField::bandwidth() const { return quantity(*this, *problems_, parse_bandwidth); }
Seconds YamlField::seconds() const { return quantity(*this, *problems_, parse_seconds); }
FlopRate YamlField::flop_rate() const { return quantity(*this, *problems_, parse_flop_rate); }

YAML::Node load_yaml(const std::string& file) {
    if (!std::filesystem::is_regular_file(file))
        throw InputError(file + ": no such file. Check the path, or list the shipped ones with 'strata catalog'");
    check_yaml_size(std::filesystem::file_size(file), file);
    try {
        const YAML::Node document = YAML::LoadFile(file);
        check_yaml_limits(document, file);
        return document;
    } catch (const YAML::Exception& error) {
        throw InputError(
            fmt::format("{}:{}:{}: broken YAML: {}", file, error.mark.line + 1, error.mark.column + 1, error.msg));
    }
}

YAML::Node parse_yaml(const std::string& text, const std::string& name) {
    check_yaml_size(text.size(), name);
    try {
        const YAML::Node document = YAML::Load(text);
        check_yaml_limits(document, name);
        return document;
    } catch (const YAML::Exception& error) {
        throw InputError(
            fmt::format("{}:{}:{}: broken YAML: {}", name, error.mark.line + 1, error.mark.column + 1, error.msg));
    }
}

}  // namespace strata
