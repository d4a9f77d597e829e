// What one attempt at a point may take of a process of its own.
#pragma once

namespace strata {

struct PointLimits {
    double time_s = 600;
    double memory_gb = 0;  // address space; 0: no limit but the machine's
};

}  // namespace strata
