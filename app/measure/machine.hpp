// What the machine says of itself, without saying which one it is.
#pragma once

#include "hwmodels/measurement.hpp"

namespace strata {

MeasuredMachine this_machine();
Bytes available_memory();   // that can be used without swapping
double last_level_cache();  // bytes of all last-level caches together, 0 if unknown
double busy_cores();        // by what else runs: the load of the last minute

}  // namespace strata
