// Every storage format of the precision dial by its definition, in double: codes, and the scale of each tile. E2M1 is
// the FP4 of OCP Microscaling Formats 1.0: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.
#pragma once

#include <stdexcept>

#include "kernels/elements.hpp"
#include "kernels/quant/quantise_reference.hpp"
#include "kernels/work.hpp"

namespace strata::reference {

constexpr double kE2m1Max = 6, kE4m3Largest = 448;

// The E2M1 number nearest to x: a multiple of 2^(e-1) in [2^e, 2^(e+1)), of a half below 1; ties to even.
inline double nearest_e2m1(double x) {
    const double magnitude = std::min(std::abs(x), kE2m1Max);
    const double step = std::exp2((magnitude < 1 ? 0 : std::ilogb(magnitude)) - 1);
    return std::copysign(std::nearbyint(magnitude / step) * step, x);
}

// A matrix as stored: an element is its code times the scale of its tile.
struct Stored {
    std::vector<double> codes, scales;
    long width = 0, tile_rows = 1, tile_width = 1;
    double tensor_scale = 1;  // NVFP4's second

    double scale(long row, long x) const {
        const long across = (width + tile_width - 1) / tile_width;
        return tensor_scale * scales[std::size_t(row / tile_rows * across + x / tile_width)];
    }
    double value(long row, long x) const { return codes[std::size_t(row * width + x)] * scale(row, x); }
};

// Blocks of 1 x `block` in E2M1. A power of two is taken upwards, as for FP8 scales, so that nothing saturates (OCP's
// own rule rounds it down and clips up to a third of the largest number). An E4M3 scale is the nearest to amax / 6,
// where the tensor's own scale brings the largest one to 448 (NVIDIA's NVFP4 recipe, arXiv 2509.25149).
inline Stored stored_fp4(const std::vector<double>& in, long rows, long width, long block, bool power_of_two) {
    Stored out{std::vector<double>(in.size()), {}, width, 1, block, 1};
    double largest = 0;
    for (const double x : in) largest = std::max(largest, std::abs(x));
    if (!power_of_two && largest > 0) out.tensor_scale = largest / (kE4m3Largest * kE2m1Max);
    for (long row = 0; row < rows; ++row)
        for (long first = 0; first < width; first += block) {
            double amax = 0;
            for (long x = first; x < first + block; ++x)
                amax = std::max(amax, std::abs(in[std::size_t(row * width + x)]));
            const double exact = amax / kE2m1Max / out.tensor_scale;
            const double scale =
                !power_of_two ? nearest_e4m3(exact) : std::exp2(std::ceil(std::log2(std::max(exact, 0x1p-127))));
            out.scales.push_back(scale);
            for (long x = first; x < first + block; ++x) {
                const auto at = std::size_t(row * width + x);
                out.codes[at] = scale > 0 ? nearest_e2m1(in[at] / (scale * out.tensor_scale)) : 0;
            }
        }
    return out;
}

inline Stored stored_bf16(const std::vector<double>& in, long rows, long width) {
    Stored out{{}, {1}, width, std::max(rows, 1L), width, 1};
    for (const double x : in) out.codes.push_back(to_float(to_bf16(float(x))));
    return out;
}

// In [rows][width]; the width is whole tiles.
inline Stored stored(const std::vector<double>& in, long rows, long width, Precision precision) {
    const auto e4m3 = [&](long tile_rows, long tile_width, bool power_of_two = false) {
        Quantised tiles = quantise(in, rows, width, tile_rows, power_of_two, tile_width);
        return Stored{std::move(tiles.codes), std::move(tiles.scales), width, tile_rows, tile_width, 1};
    };
    switch (precision) {
        case Precision::bf16: return stored_bf16(in, rows, width);
        case Precision::fp8_tensor: return e4m3(rows, width);
        case Precision::fp8_block: return e4m3(128, std::min(width, 128L));
        case Precision::fp8_tile: return e4m3(1, std::min(width, 128L));
        case Precision::mxfp8: return e4m3(1, 32, true);
        case Precision::fp4_block: return stored_fp4(in, rows, width, 32, true);
        case Precision::nvfp4: return stored_fp4(in, rows, width, 16, false);
        case Precision::int8:
        case Precision::two_bit:
        case Precision::q4_k_m: break;
    }
    throw std::logic_error("stored: no kernel here takes this format");
}

}  // namespace strata::reference
