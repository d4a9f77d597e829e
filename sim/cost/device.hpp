// The numbers of an accelerator that costs need, looked up once. One that is null is kept as its error message and
// thrown only by an op that needs it.
#pragma once

#include <string>

#include "hwmodels/units.hpp"

namespace strata {

struct Device {
    std::string name;       // in the catalogue; empty where a scenario has changed its numbers
    std::string cuda_name;  // by which records of measurements know it; empty likewise
    FlopRate bf16, fp8;
    Bandwidth memory;
    Bandwidth link;    // scale-up, a rank's own, per direction
    double cores = 0;  // SMs; 0: unknown
    std::string bf16_missing, fp8_missing, link_missing;
};

}  // namespace strata
