// Counts in JSON from outside: its numbers may be more than an int holds, and nlohmann converts them all the same.
#pragma once

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"

namespace strata {

// The field `name`. Throws InputError where it is no whole number that an int holds, or below 0.
template <class Json>
int count_in(const Json& json, const char* name) {
    constexpr int kMost = std::numeric_limits<int>::max();
    const Json& value = json.at(name);
    if (!value.is_number_integer() || value < 0 || value > kMost)
        throw InputError(name, fmt::format("a whole number from 0 to {}", kMost), value.dump());
    return value.template get<int>();
}

}  // namespace strata
