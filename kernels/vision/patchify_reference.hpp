// The definition of patchify in double: patch (py, px) of an image is [3][16][16] of (x / 255 - mean) / deviation (x
// itself where pixels are not 8-bit), row after row of patches. Beyond the image's right and lower edge is the mean: 0.
#pragma once

#include <vector>

namespace strata::reference {

// pixels: [3][height][width] of one image, 8-bit values already divided by 255.
inline std::vector<double> patchify(const std::vector<double>& pixels, long height, long width, const float (&mean)[3],
                                    const float (&deviation)[3]) {
    const long down = (height + 15) / 16, across = (width + 15) / 16;
    std::vector<double> patches;
    for (long patch = 0; patch < down * across; ++patch)
        for (long channel = 0; channel < 3; ++channel)
            for (long dy = 0; dy < 16; ++dy)
                for (long dx = 0; dx < 16; ++dx) {
                    const long y = patch / across * 16 + dy, x = patch % across * 16 + dx;
                    const bool inside = y < height && x < width;
                    patches.push_back(
                        inside ? (pixels[std::size_t((channel * height + y) * width + x)] - double(mean[channel])) /
                                     double(deviation[channel])
                               : 0);
                }
    return patches;
}

}  // namespace strata::reference
