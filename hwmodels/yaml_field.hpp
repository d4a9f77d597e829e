// A place in a YAML file: every value is read through one, so every error can say file:line:column, what was
// expected, what was found and which name was probably meant. Errors of one document are collected, not thrown
// one at a time: read everything, then call `throw_if_any`.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hwmodels/input_error.hpp"
#include "hwmodels/units.hpp"

namespace strata {

// The errors of one document, in the order met.
class Problems {
public:
    void add(const std::string& message) { messages_.push_back(message); }
    bool empty() const { return messages_.empty(); }
    std::size_t size() const { return messages_.size(); }
    const std::vector<std::string>& messages() const { return messages_; }
    void throw_if_any() const;  // one InputError with a line for each problem

private:
    std::vector<std::string> messages_;
};

// The candidate nearest to `name` by edit distance, if any is near enough to be a likely slip of the pen.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

// "48 GB", "3.35 TB/s", "1.2 us", "989 TFLOPS": value in SI. The unit is part of the value; a bare number, an
// unknown unit or one of another dimension is refused. `where` opens the error message.
Bytes parse_bytes(const std::string& text, const std::string& where);
Bandwidth parse_bandwidth(const std::string& text, const std::string& where);
Seconds parse_seconds(const std::string& text, const std::string& where);
FlopRate parse_flop_rate(const std::string& text, const std::string& where);

// Where each path of a document stands, "file:line:column", for keys and for values. A copied YAML node forgets its
// mark and a substituted one never had any; a field that is given the places finds them by its path.
struct Places {
    std::map<std::string, std::string> of_key, of_value;
};
Places places_of(const YAML::Node& document, const std::string& file);

// One node of a document and the way to it. Cheap to copy; missing children are fields too (`exists()` is false).
class YamlField {
public:
    // `places` must outlive the field; without it the nodes' own marks are used.
    YamlField(YAML::Node node, std::string file, std::string path, Problems& problems, const Places* places = nullptr)
        : node_(std::move(node)),
          file_(std::move(file)),
          path_(std::move(path)),
          problems_(&problems),
          places_(places) {}

    bool exists() const { return node_.IsDefined(); }
    bool is_null() const { return !node_.IsDefined() || node_.IsNull(); }
    bool is_map() const { return exists() && node_.IsMap(); }
    bool is_sequence() const { return exists() && node_.IsSequence(); }
    const YAML::Node& node() const { return node_; }
    const std::string& path() const { return path_; }
    const std::string& file() const { return file_; }  // of a field that exists
    const Problems& problems() const { return *problems_; }
    std::string where() const;  // "file:line:column: path"

    YamlField operator[](const std::string& key) const;
    // Another node in this one's place: what a part of the catalogue becomes with what stands here set in it.
    YamlField holding(const YAML::Node& node) const { return YamlField(node, file_, path_, *problems_, places_); }
    std::vector<YamlField> items() const;   // of a sequence; a problem is noted if it is none
    std::vector<std::string> keys() const;  // of a map, in file order
    // Notes a problem for each key that is not in `allowed`, with the nearest valid name, and for duplicates.
    void allow_only(const std::vector<std::string>& allowed) const;
    void problem(const std::string& expected, const std::string& found) const;
    void problem(const std::string& what) const;

    // A value, or `fallback` with a problem noted when it is missing or malformed.
    std::string text(const std::string& fallback = "") const;
    double number(double fallback = 0) const;
    long long integer(long long fallback = 0) const;
    bool boolean(bool fallback = false) const;
    Bytes bytes() const;
    Bandwidth bandwidth() const;
    Seconds seconds() const;
    FlopRate flop_rate() const;

private:
    YamlField child(const YAML::Node& node, const std::string& path) const;
    std::string place() const;

    YAML::Node node_;
    std::string file_;
    std::string path_;
    Problems* problems_;
    const Places* places_;
};

// Parses `file`; throws InputError on a missing file or on broken YAML, with line and column.
YAML::Node load_yaml(const std::string& file);
YAML::Node parse_yaml(const std::string& text, const std::string& name);

}  // namespace strata
