// What must hold of a result: "decode.tpot_ms <= 20". Assertions, constraints of a search and the batch to be found are
// written so.
#pragma once

#include <optional>
#include <string>

#include "hwmodels/yaml_field.hpp"

namespace strata {

struct Assertion {
    std::string metric;
    std::string comparison;  // <=, <, >=, >
    double bound = 0;
    std::string text;
    bool holds(double value) const;
};

// Of a number that is to be found, `{largest_with: 'decode.tpot_ms <= 20'}`; nothing where the field is a number.
std::optional<Assertion> read_largest_with(const YamlField& field);

// Nothing, and a problem of the field, where it is none or its metric is unknown.
std::optional<Assertion> read_assertion(const YamlField& field);

}  // namespace strata
