// The definition of CSA's and HCA's compression in double (arXiv 2606.19348, section 2.3): a softmax of each channel
// over the rows of a group, with a learned bias of each place in the group; RMSNorm with a weight; rotation of
// the last channels, in pairs of neighbours, by the position of the group's first token.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata::reference {

struct CompressionInput {
    long ratio = 4;
    long paths = 2;  // 2: columns [0, channels) are path b, which the next group weighs; then path a
    long channels = 512;
    long rotary = 64;
    double eps = 1e-6;
    std::vector<double> values{};     // [rows][paths * channels]
    std::vector<double> scores{};     // [rows][paths * channels]
    std::vector<double> bias{};       // [ratio][paths * channels]
    std::vector<double> weight{};     // [channels]
    std::vector<double> rotations{};  // [entries][rotary / 2][cosine, sine]
};

// One channel's weighted mean; `before` is the first row of the group before, or negative where there is none.
inline double compressed_channel(const CompressionInput& in, long group, long before, long channel) {
    const long width = in.paths * in.channels;
    std::vector<double> values, scores;
    const auto take = [&](long first_row, long column) {
        for (long i = 0; i < in.ratio; ++i) {
            values.push_back(in.values[std::size_t((first_row + i) * width + column)]);
            scores.push_back(in.scores[std::size_t((first_row + i) * width + column)] +
                             in.bias[std::size_t(i * width + column)]);
        }
    };
    if (in.paths == 2 && before >= 0) take(before, channel);
    take(group, (in.paths - 1) * in.channels + channel);
    const double most = *std::ranges::max_element(scores);
    double sum = 0, mean = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        sum += std::exp(scores[i] - most);
        mean += std::exp(scores[i] - most) * values[i];
    }
    return mean / sum;
}

// The entry before it is stored: [channels].
inline std::vector<double> compressed_entry(const CompressionInput& in, long group, long before, long entry) {
    std::vector<double> out;
    double squares = 0;
    for (long channel = 0; channel < in.channels; ++channel) {
        out.push_back(compressed_channel(in, group, before, channel));
        squares += out.back() * out.back();
    }
    for (long channel = 0; channel < in.channels; ++channel)
        out[std::size_t(channel)] *=
            in.weight[std::size_t(channel)] / std::sqrt(squares / double(in.channels) + in.eps);
    for (long pair = 0; pair < in.rotary / 2; ++pair) {
        double& x = out[std::size_t(in.channels - in.rotary + 2 * pair)];
        double& y = (&x)[1];
        const double cosine = in.rotations[std::size_t((entry * in.rotary / 2 + pair) * 2)];
        const double sine = in.rotations[std::size_t((entry * in.rotary / 2 + pair) * 2 + 1)];
        const double turned = x * cosine - y * sine;
        y = x * sine + y * cosine;
        x = turned;
    }
    return out;
}

}  // namespace strata::reference
