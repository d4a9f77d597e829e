// The definition of block quantisation, in double: scale = max(amax, 1e-4) / 448, raised to a power of two for UE8M0;
// code = the E4M3 number nearest to x / scale, ties to even, nothing beyond 448.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata::reference {

inline double scale_of(double amax, bool power_of_two) {
    const double exact = std::max(amax, 1e-4) / 448;
    return power_of_two ? std::exp2(std::ceil(std::log2(exact))) : exact;
}

// The E4M3 number nearest to x: a multiple of 2^(e-3) in [2^e, 2^(e+1)), of 2^-9 below 2^-6.
inline double nearest_e4m3(double x) {
    const double magnitude = std::min(std::abs(x), 448.0);
    const int exponent = magnitude < 0x1p-6 ? -6 : std::ilogb(magnitude);
    const double step = std::exp2(exponent - 3);
    return std::copysign(std::min(std::nearbyint(magnitude / step) * step, 448.0), x);
}

struct Quantised {
    std::vector<double> codes;   // [rows][width]
    std::vector<double> scales;  // [ceil(rows / tile_rows)][width / tile_width]
};

// Tiles of 1x128 for activations, 128x128 or 32x32 for weights. Rows beyond the last are taken as absent.
inline Quantised quantise(const std::vector<double>& in, long rows, long width, long tile_rows, bool power_of_two,
                          long tile_width = 128) {
    const long tiles = width / tile_width, bands = (rows + tile_rows - 1) / tile_rows;
    Quantised out{std::vector<double>(in.size()), std::vector<double>(std::size_t(bands * tiles))};
    for (long band = 0; band < bands; ++band)
        for (long tile = 0; tile < tiles; ++tile) {
            const long last = std::min(rows, (band + 1) * tile_rows), right = (tile + 1) * tile_width;
            double amax = 0;
            for (long row = band * tile_rows; row < last; ++row)
                for (long x = tile * tile_width; x < right; ++x)
                    amax = std::max(amax, std::abs(in[std::size_t(row * width + x)]));
            const double scale = scale_of(amax, power_of_two);
            out.scales[std::size_t(band * tiles + tile)] = scale;
            for (long row = band * tile_rows; row < last; ++row)
                for (long x = tile * tile_width; x < right; ++x)
                    out.codes[std::size_t(row * width + x)] = nearest_e4m3(in[std::size_t(row * width + x)] / scale);
        }
    return out;
}

// silu(gate) * up of [rows][2 width], gates first; gate <= limit and |up| <= limit.
inline std::vector<double> swiglu(const std::vector<double>& in, long rows, long width, double limit) {
    std::vector<double> out;
    for (long row = 0; row < rows; ++row)
        for (long x = 0; x < width; ++x) {
            const double gate = std::min(in[std::size_t(row * 2 * width + x)], limit);
            const double up = std::clamp(in[std::size_t((row * 2 + 1) * width + x)], -limit, limit);
            out.push_back(gate / (1 + std::exp(-gate)) * up);
        }
    return out;
}

}  // namespace strata::reference
