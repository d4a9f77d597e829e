// Bars of parts on top of each other, a bar for each point, and the table of all points, for results whose time or
// memory is a sum: steps of training, iterations of RL.
#pragma once

#include "reports/document.hpp"
#include "reports/training_view.hpp"

namespace strata {

Chart stacked_chart(const Study& study, const std::string& name, const std::string& title, const std::string& label,
                    const std::vector<StackedPart>& parts);

// "60 % interpolated, 40 % assumed"
std::string origins_of(const Run& run);

Section metrics_points_section(const Study& study, const std::vector<AccessColumn>& columns);

}  // namespace strata
