// The definition of the resize in double: a pixel of the output is the average of the input over the rectangle that it
// covers, each input pixel weighted with the share of it that is covered; to the nearest whole number, halves up.
// Around the placed page is the filling.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/vision/page_resize_body.hpp"

namespace strata::reference {

// Averages are multiples of more than 1e-10: this keeps halves from being lost to double's own rounding.
inline constexpr double kTie = 1e-10;

inline double covered(double from, double to, long pixel) {
    return std::max(0.0, std::min(to, double(pixel + 1)) - std::max(from, double(pixel)));
}

// One plane [height][width] to [side][side].
inline std::vector<double> page_resize(const std::vector<std::uint8_t>& in, long height, long width,
                                       const PagePlacement& placed, int filling) {
    std::vector<double> out(std::size_t(placed.side * placed.side), filling);
    for (long y = 0; y < placed.height; ++y)
        for (long x = 0; x < placed.width; ++x) {
            const double step_y = double(height) / double(placed.height), step_x = double(width) / double(placed.width);
            double sum = 0, area = 0;
            for (long i = long(double(y) * step_y); i < height && double(i) < double(y + 1) * step_y; ++i)
                for (long j = long(double(x) * step_x); j < width && double(j) < double(x + 1) * step_x; ++j) {
                    const double share = covered(double(y) * step_y, double(y + 1) * step_y, i) *
                                         covered(double(x) * step_x, double(x + 1) * step_x, j);
                    sum += share * in[std::size_t(i * width + j)], area += share;
                }
            out[std::size_t((placed.top + y) * placed.side + placed.left + x)] = std::floor(sum / area + 0.5 + kTie);
        }
    return out;
}

}  // namespace strata::reference
