// What a point is known by in a store: a digest of all that its result follows from. That is the scenario as it stands
// for this point, the files that it names, the catalogue and the other inputs below the root, the version of the model,
// and the engine. Two studies that come to the same point come to the same key.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace strata {

// 128 bits of SHA-256: a million million points have a chance of 10^-15 that two of them share one.
using PointKey = std::array<unsigned char, 16>;

// The fields of a document that a result follows from, as path and value in the order of paths. What only names or
// selects points (name, description, engines, axes, assertions, search) is left out.
using FieldLines = std::map<std::string, std::string>;
FieldLines field_lines(const YAML::Node& document);

class PointKeys {
public:
    // `inputs`: a fingerprint of everything else that results follow from.
    PointKeys(const ScenarioFile& file, std::string inputs);
    // The same for another thread: documents cannot be shared.
    PointKeys apart() const;

    PointKey of(const Point& point, const std::string& engine) { return of(field_lines(point.document), engine); }
    // Of the point of the file's own axes with these settings: the same key as above, without making the point.
    PointKey of(const Settings& settings, const std::string& engine);

private:
    PointKey of(const FieldLines& lines, const std::string& engine);
    void learn_axes();
    void append(std::string& text, const std::string& path, const std::string& value);
    const std::string& digest_of_file(const std::string& value);

    ScenarioFile file_;
    std::string inputs_;
    std::map<std::string, std::string> files_;  // by the value that names one; empty: names none
    bool axes_apart_ = true;                    // no axis lies above or below another
    std::vector<std::string> constant_;         // the text of a point before, between and after the axes' fields
    std::vector<std::pair<std::string, std::size_t>> axes_;  // path and its place in the settings, in order of paths
};

}  // namespace strata
