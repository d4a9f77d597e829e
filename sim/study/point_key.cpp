#include "sim/study/point_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "hwmodels/file_fingerprint.hpp"
#include "hwmodels/sha256.hpp"
#include "sim/scenario/sweep.hpp"

namespace strata {

namespace {

namespace fs = std::filesystem;

void flatten(const YAML::Node& node, const std::string& path, FieldLines& lines) {
    if (node.IsMap()) {
        for (const auto& entry : node) flatten(entry.second, path + "." + entry.first.Scalar(), lines);
    } else if (node.IsSequence()) {
        for (std::size_t i = 0; i < node.size(); ++i) flatten(node[i], fmt::format("{}[{}]", path, i), lines);
    } else {
        lines[path] = node.IsScalar() ? node.Scalar() : "~";
    }
}

// "64", "2 TB/s": no name of a file.
bool is_quantity(const std::string& value) {
    double number = 0;
    const auto [rest, status] = std::from_chars(value.data(), value.data() + value.size(), number);
    return status == std::errc() && (rest == value.data() + value.size() || *rest == ' ');
}

PointKey key_of(const std::string& text) {
    const Sha256 digest = sha256_bytes(text);
    PointKey key{};
    std::copy_n(digest.begin(), key.size(), key.begin());
    return key;
}

}  // namespace

FieldLines field_lines(const YAML::Node& document) {
    FieldLines lines;
    for (const auto& entry : document) {
        const std::string name = entry.first.Scalar();
        const bool selects = name == "name" || name == "description" || name == "engines" || name == "axes" ||
                             name == "assertions" || name == "search";
        if (!selects) flatten(entry.second, name, lines);
    }
    return lines;
}

PointKeys::PointKeys(const ScenarioFile& file, std::string inputs) : file_(file.apart()), inputs_(std::move(inputs)) {
    learn_axes();
}

PointKeys PointKeys::apart() const {
    PointKeys other(*this);
    other.file_ = file_.apart();
    return other;
}

// Empty where the value names no file. Names stand relative to the scenario.
const std::string& PointKeys::digest_of_file(const std::string& value) {
    const auto known = files_.find(value);
    if (known != files_.end()) return known->second;
    const fs::path path = fs::path(file_.file()).parent_path() / value;
    std::error_code none;
    return files_[value] = fs::is_regular_file(path, none) ? sha256_of_files(path) : "";
}

// The length of the value stands before it, so that no value can look like the end of one and the begin of the next.
void PointKeys::append(std::string& text, const std::string& path, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "{}={}:{}", path, value.size(), value);
    if (!is_quantity(value)) text += digest_of_file(value);
    text += '\n';
}

void PointKeys::learn_axes() {
    Settings first;
    for (const Axis& axis : file_.axes())
        for (std::size_t j = 0; j < axis.paths.size(); ++j) {
            axes_.emplace_back(axis.paths[j], first.size());
            first.emplace_back(axis.paths[j], axis.is_range() ? axis.ranges[j].value_at(0) : axis.values[0][j]);
        }
    std::sort(axes_.begin(), axes_.end());
    for (const auto& [path, place] : axes_)
        for (const auto& [other, other_place] : axes_)
            axes_apart_ = axes_apart_ && (place == other_place || !is_at_or_below(path, other));
    if (!axes_apart_) return;
    FieldLines lines = field_lines(file_.point_with(first).document);
    for (const auto& [path, place] : axes_) lines.erase(path);
    constant_.assign(1, inputs_ + "\n");
    auto axis = axes_.begin();
    for (const auto& [path, value] : lines) {
        for (; axis != axes_.end() && axis->first < path; ++axis) constant_.emplace_back();
        append(constant_.back(), path, value);
    }
    for (; axis != axes_.end(); ++axis) constant_.emplace_back();
}

PointKey PointKeys::of(const FieldLines& lines, const std::string& engine) {
    std::string text = inputs_ + "\n";
    for (const auto& [path, value] : lines) append(text, path, value);
    return key_of(text + engine);
}

PointKey PointKeys::of(const Settings& settings, const std::string& engine) {
    if (!axes_apart_) return of(file_.point_with(settings), engine);
    std::string text = constant_.front();
    for (std::size_t i = 0; i < axes_.size(); ++i) {
        const auto& [path, value] = settings[axes_[i].second];
        append(text, path, value);
        text += constant_[i + 1];
    }
    return key_of(text + engine);
}

}  // namespace strata
