// Seconds of the spans that failures are given in.
#pragma once

namespace strata {

inline constexpr double kHour = 3600, kDay = 24 * kHour;

}  // namespace strata
