// How one scenario becomes many points: substitution into its document, and the axes that are swept.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "hwmodels/yaml_field.hpp"
#include "sim/scenario/scenario.hpp"

namespace strata {

// Sets the value at a path such as platform.accelerator.memory.bandwidth; a name on the way that stands for a map is
// spelt out: `model: v3` for `model: {preset: v3}`.
void set_at(YAML::Node document, const std::string& path, const YAML::Node& value, const std::string& above = "");
// Whether it is that path, or a field or an item below it.
bool is_at_or_below(const std::string& path, const std::string& above);
// What is set from elsewhere stands there, and so does what it made on the way.
void set_place(Places& places, const std::string& path, const std::string& place);
// Maps merge key by key; anything else is replaced.
void merge_into(YAML::Node base, const YAML::Node& over);

Axis read_axis(const YamlField& field);

}  // namespace strata
