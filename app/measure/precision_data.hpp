// Data as tensors of a network have it, the same for the same seed.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace strata {

enum class DataShape {
    normal,            // weights, and activations behind a norm
    heavy_tailed,      // Student's t
    outlier_channels,  // normal, with a few channels much larger: activations of large models
    positive           // uniform in (0, 1): the worst that an accumulator can meet, since nothing cancels
};
constexpr std::array<DataShape, 4> kDataShapes{DataShape::normal, DataShape::heavy_tailed, DataShape::outlier_channels,
                                               DataShape::positive};
std::string_view to_string(DataShape shape);

constexpr int kDegreesOfFreedom = 4;  // of Student's t: the fewest, even, that leave the fourth moment at the border
// LLM.int8() (arXiv 2208.07339, sections 1 and 4) saw up to 20 times in 0.1 % of all features. One in 512 is 0.2 %, so
// that a tile of 128 has at most one; the first is within the shortest rows.
constexpr long kOutlierEvery = 512, kFirstOutlier = 17;
constexpr double kOutlierFactor = 20;

std::vector<double> data_of(DataShape shape, long rows, long width, std::uint64_t seed);

}  // namespace strata
