// How results of kind access are looked at: which metrics stand in tables and how, and which results form a line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reports/document.hpp"
#include "sim/study/study.hpp"

namespace strata {

bool is_access(const Study& study);

// A metric as tables show it.
struct AccessColumn {
    std::string metric, head;
    double scale = 1;
    int decimals = 0;
};
std::vector<AccessColumn> access_columns(const Study& study);  // of the metrics that some result has
std::string cell(const Run& run, const AccessColumn& column);

// Results of one part under one pattern and, where `along` is given, with the same other settings.
struct AccessGroup {
    std::string part, pattern;
    std::string others;  // settings that vary beside them and `along`: "outstanding 512"; usually empty
    std::vector<const PointResult*> results{};
};
std::vector<AccessGroup> access_groups(const Study& study, const std::vector<std::string>& along,
                                       const std::function<bool(const Accessed&)>& taken);

// One line a group: a colour for each part, or, with more than two patterns, for each line.
std::vector<Series> access_series(const std::vector<AccessGroup>& groups,
                                  const std::function<ChartPoint(const Run&)>& at);

std::string size_text(double bytes);  // "264 B", "4 KiB"

}  // namespace strata
