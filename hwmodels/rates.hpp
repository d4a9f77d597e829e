// Bandwidths as metrics name them.
#pragma once

#include "hwmodels/units.hpp"

namespace strata {

inline double to_GBps(Bandwidth rate) { return rate.si() / 1e9; }

}  // namespace strata
