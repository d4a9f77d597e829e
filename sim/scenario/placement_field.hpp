// `placement` and `kernels` of a scenario, and small readers that other fields share.
#pragma once

#include "hwmodels/yaml_field.hpp"
#include "sim/scenario/scenario.hpp"

namespace strata {

Kernels read_kernels(const YamlField& field);

int count_of(const YamlField& field);                   // at least 1; 1 if not given
void refuse_domains(const YamlField& placement);        // where no single step is run, of which swaps take a part
double share(const YamlField& field, double fallback);  // in [0, 1]

}  // namespace strata
