// The numbers and choices of a point that are worth a slider or a box beside its answer, with what they stand at.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace strata {

struct Dial {
    std::string path, label, unit;
    double low = 0, high = 1, value = 0;  // in `unit`
    bool log = false, whole = false;
    std::vector<std::string> choices{};  // not empty: a box instead of a slider
    std::string choice{};

    // A value from a slider's position between 0 and 1, and back.
    double at(double position) const;
    double position_of(double given) const;
    // As a scenario has it: "512", "4.8 TB/s".
    std::string written(double given) const;
};

std::vector<Dial> dials_of(const Scenario& scenario);

}  // namespace strata
