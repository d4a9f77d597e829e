// What of a comparison is a failure: "decode.tokens_per_s < -2%". On the left a metric, or a pattern of them, and on
// the right how far it has moved: in percent of the old value, or without the sign in the metric's own unit.
#pragma once

#include <string>

namespace strata {

struct FailIf {
    std::string metric;      // a shell pattern: "decode.*"
    bool magnitude = false;  // "|metric|": in either direction
    std::string comparison;  // <, <=, >, >=
    double bound = 0;        // in percent if so, else in the metric's unit
    bool percent = false;
    std::string text;

    bool matches(const std::string& name) const;
    // Of a number that went from one value to another. From 0 to anything else is without bound in percent.
    bool fails(double from, double to) const;
};

// Throws InputError with column, what was expected and what was found.
FailIf parse_fail_if(const std::string& text);

}  // namespace strata
