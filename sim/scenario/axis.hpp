// An axis of a sweep: values that are taken one after the other, or a range that points are drawn from.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace strata {

using Settings = std::vector<std::pair<std::string, std::string>>;  // path, value

struct AxisRange {
    double from = 0, to = 1;  // in `unit`
    std::string unit{};       // with the space before it: " TB/s"; empty for a bare number
    bool log = false;         // even in ratios
    double step = 0;          // whole steps from `from` alone; 0: any value

    double number_at(double share) const;      // share of the way, 0 to 1
    double share_of(double number) const;      // the way back
    std::string value_at(double share) const;  // as a scenario would write it
};

struct Axis {
    std::vector<std::string> paths{};                // zipped: all take their i-th value together
    std::vector<std::vector<std::string>> values{};  // values[i][j]: i-th step, j-th path
    std::vector<AxisRange> ranges{};                 // one a path; then there are no values
    bool is_range() const { return !ranges.empty(); }
};

}  // namespace strata
