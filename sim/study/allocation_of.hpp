// The law of allocation that a scenario goes by: the published one, or that of its own measurements.
#pragma once

#include "sim/quality/allocation_law.hpp"
#include "sim/scenario/scenario.hpp"

namespace strata {

// `root` holds sim/quality. Throws InputError with file and line for points that cannot be read, and for a budget that
// is not among them.
AllocationLaw allocation_law_of(const ScenarioFile& file, const std::string& root);

// Fits to set beside it: the scenario's own points where it has any, else those of the small models trained for Strata.
std::vector<AllocationFit> allocation_fits_of(const ScenarioFile& file, const std::string& root);

}  // namespace strata
