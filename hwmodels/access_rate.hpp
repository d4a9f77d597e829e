// What a part serves in steady state when it is asked for the same kind of access again and again.
#pragma once

#include "hwmodels/units.hpp"

namespace strata {

struct AccessRate {
    double requests_per_s = 0;
    Bandwidth bandwidth;  // of bytes asked for; what headers, lines and pages bring beyond them is not counted
    Seconds latency;      // of one request: the mean under this load, or without any other where the function says so
    Seconds latency_p99;  // equal to latency where the part has no queue to speak of
};

}  // namespace strata
