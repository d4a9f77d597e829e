// Fields with bounds, as scenarios have them: one of several names, a number of at least something.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hwmodels/yaml_field.hpp"

namespace strata {

template <class Enum>
using Choices = std::vector<std::pair<std::string, Enum>>;

template <class Enum>
Enum one_of(const YamlField& field, const Choices<Enum>& choices) {
    const std::string text = field.text();
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
        if (name == text) return value;
        names.push_back(name);
    }
    field.problem(fmt::format("one of {}", fmt::join(names, ", ")), "'" + text + "'");
    return choices.front().second;
}

template <class Enum>
std::string_view name_of(const Choices<Enum>& choices, Enum value) {
    return std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.second == value; })->first;
}

inline double at_least(const YamlField& field, double least, double fallback) {
    if (!field.exists()) return fallback;
    const double value = field.number(fallback);
    if (value < least) field.problem(fmt::format("a number of at least {}", least), fmt::format("{}", value));
    return value;
}

inline int whole(const YamlField& field, long long least, int fallback, int most = 100'000'000) {
    if (!field.exists()) return fallback;
    const long long value = field.integer(fallback);
    if (value >= least && value <= most) return static_cast<int>(value);
    field.problem(fmt::format("a whole number of at least {}", least), std::to_string(value));
    return fallback;
}

}  // namespace strata
