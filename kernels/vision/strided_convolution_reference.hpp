// The definition of the compressor's convolution in double: 3x3 taps, stride 2, one pixel of zeros around, no bias.
//   out[y][x][o] = sum_{dy, dx, c} in[2y + dy - 1][2x + dx - 1][c] * weights[o][dy][dx][c]
#pragma once

#include <vector>

namespace strata::reference {

// One pixel of the output of one image [height][width][channels_in]: all its channels.
inline std::vector<double> strided_convolution(const std::vector<double>& in, const std::vector<double>& weights,
                                               long height, long width, long channels_in, long channels_out, long y,
                                               long x) {
    std::vector<double> out(std::size_t(channels_out), 0.0);
    for (long o = 0; o < channels_out; ++o)
        for (long tap = 0; tap < 9; ++tap) {
            const long from_y = 2 * y + tap / 3 - 1, from_x = 2 * x + tap % 3 - 1;
            if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
            for (long c = 0; c < channels_in; ++c)
                out[std::size_t(o)] += in[std::size_t((from_y * width + from_x) * channels_in + c)] *
                                       weights[std::size_t((o * 9 + tap) * channels_in + c)];
        }
    return out;
}

}  // namespace strata::reference
