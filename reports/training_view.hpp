// How results of kind training are looked at: which metrics stand in tables, and what a step, a rank's memory and a
// long run are made of.
#pragma once

#include "reports/access_view.hpp"

namespace strata {

bool is_training(const Study& study);
std::vector<AccessColumn> training_columns(const Study& study);  // goodput where something can fail

// A metric as a part of a bar: its name in the legend, and what a metric's unit is multiplied with.
struct StackedPart {
    std::string metric, name;
    double scale = 1;
};
const std::vector<StackedPart>& step_parts();
const std::vector<StackedPart>& memory_parts();
const std::vector<StackedPart>& run_parts();  // of a long run, in percent

}  // namespace strata
