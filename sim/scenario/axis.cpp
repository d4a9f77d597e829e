#include "sim/scenario/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace strata {

double AxisRange::number_at(double share) const {
    const double number = log ? from * std::pow(to / from, share) : from + (to - from) * share;
    if (step == 0) return std::clamp(number, from, to);
    const double last = std::floor((to - from) / step * (1 + 1e-12));  // `to` itself where steps reach it
    return from + std::clamp(std::round((number - from) / step), 0.0, last) * step;
}

double AxisRange::share_of(double number) const {
    return log ? std::log(number / from) / std::log(to / from) : (number - from) / (to - from);
}

std::string AxisRange::value_at(double share) const { return fmt::format("{:.10g}{}", number_at(share), unit); }

}  // namespace strata
