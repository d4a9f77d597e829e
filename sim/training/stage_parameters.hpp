// The parameters that a rank holds of some layers, as the matrices that they are: the optimiser and the memory count
// them.
#pragma once

#include <vector>

#include "sim/scenario/scenario.hpp"

namespace strata {

struct Matrices {
    double count = 0, rows = 0, columns = 0;  // count of one shape
    double stored_bytes = 2;                  // of a parameter, as products take it
    bool routed = false;                      // experts: held by fewer ranks than the rest
    bool adamw = false;                       // whatever the optimiser: embedding and head (DeepSeek-V4, section 2.4)

    double parameters() const { return count * rows * columns; }
    bool operator==(const Matrices&) const = default;
};

using Parameters = std::vector<Matrices>;

struct ModelParameters {
    std::vector<Parameters> layers;
    Parameters first, last;  // the embedding; head and multi-token prediction
};

// Norms, biases and gates are below 0.01 % and not counted.
ModelParameters model_parameters(const Scenario& scenario);

struct ParameterSums {
    double routed = 0, other = 0;  // parameters
    Bytes routed_stored, other_stored;
    double all() const { return routed + other; }
};
ParameterSums sums_of(const Parameters& parameters);

// Ranks that hold the same parameters: data-parallel replicas, and of routed experts those that the expert ranks leave.
double replicas(const Placement& placement, bool routed);

}  // namespace strata
