// What a YAML document may hold. Aliases are cheap to write and expand like trees: ten lines can stand for 10^9 nodes,
// a node can hold itself, and every path through it becomes a text. Readers walk documents freely because none gets
// past here.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <string>

namespace strata {

constexpr std::size_t kMostYamlBytes = 16 << 20;  // the largest of ours is 64 KB
constexpr std::size_t kMostYamlNodes = 200'000;   // aliases expanded
constexpr int kMostYamlDepth = 64;
constexpr std::size_t kLongestYamlKey = 256;

// Throw InputError that says what is too large, and where.
void check_yaml_size(std::size_t bytes, const std::string& name);
void check_yaml_limits(const YAML::Node& document, const std::string& name);

}  // namespace strata
