// The front end of optical context compression (DeepSeek-OCR, arXiv 2510.18234): pages become patches, the grid of
// patch features shrinks sixteenfold by two strided convolutions, and older pages are kept at smaller sizes.
#pragma once

#include "kernels/work.hpp"

namespace strata {

// Pixels to rows of normalised patches of 16 x 16.
struct Patchify {
    double images = 1;
    double height = 0;
    double width = 0;
    double pixel_bytes = 1;

    constexpr Work work() const {
        const double pixels = images * 3 * height * width;
        return {.flops = Flops(pixels * 2), .read = Bytes(pixels * pixel_bytes), .written = Bytes(pixels * 2)};
    }
};

// A grid of tokens, factor x factor of them side by side in one.
struct PixelUnshuffle {
    double images = 1;
    double height = 0;  // of the grid, a multiple of the factor; a ragged edge is padded on top of this
    double width = 0;
    double channels = 0;

    constexpr Work work() const {
        const Bytes all(images * height * width * channels * 2);
        return {.flops = Flops(0), .read = all, .written = all};
    }
};

// A page of 8-bit pixels to a smaller one by averages of areas.
struct PageResize {
    double images = 1;
    double height = 0;
    double width = 0;
    double out_height = 0;
    double out_width = 0;

    constexpr Work work() const {
        const double in = images * 3 * height * width, out = images * 3 * out_height * out_width;
        return {.flops = Flops(in * 2), .read = Bytes(in), .written = Bytes(out)};
    }
};

// 3x3 taps, stride 2, padding 1, BF16: what the 16x compressor is made of (256 -> 512 -> 1024 channels on 64 x 64).
struct StridedConvolution {
    double images = 1;
    double height = 0;
    double width = 0;
    double channels_in = 0;
    double channels_out = 0;

    constexpr Work work() const {
        const double out_pixels = images * double(long(height + 1) / 2) * double(long(width + 1) / 2);
        return {.flops = Flops(2 * out_pixels * channels_out * 9 * channels_in),
                .read = Bytes((images * height * width * channels_in + channels_out * 9 * channels_in) * 2),
                .written = Bytes(out_pixels * channels_out * 2)};
    }
};

}  // namespace strata
