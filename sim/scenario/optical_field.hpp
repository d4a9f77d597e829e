// workload.optical: the share of a context that the model sees as pictures of its pages.
#pragma once

#include <optional>

#include "hwmodels/yaml_field.hpp"
#include "sim/quality/optical_schedule.hpp"

namespace strata {

std::optional<OpticalDials> read_optical(const YamlField& field);

}  // namespace strata
