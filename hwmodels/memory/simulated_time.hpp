// The one place where our seconds become SystemC's time. SystemC counts picoseconds unless told otherwise, and nobody
// here tells it otherwise: 2^64 of them are 213 days.
#pragma once

#include <cmath>
#include <systemc>

#include "hwmodels/units.hpp"

namespace strata {

inline sc_core::sc_time to_sc_time(Seconds time) {
    return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(std::llround(time.si() * 1e12)));
}

inline Seconds to_seconds(const sc_core::sc_time& time) { return Seconds(time.to_seconds()); }

}  // namespace strata
