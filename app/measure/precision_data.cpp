#include "app/measure/precision_data.hpp"

#include <cmath>
#include <numbers>

#include "app/measure/timing.hpp"

namespace strata {

namespace {

class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : random_(seed) {}
    double uniform() { return (double(random_() >> 11) + 0.5) * 0x1p-53; }  // never 0 or 1
    double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }
    // normal / sqrt(chi squared / degrees); chi squared of 2 n degrees is -2 log of a product of n uniforms.
    double student_t() {
        double product = 1;
        for (int i = 0; i < kDegreesOfFreedom / 2; ++i) product *= uniform();
        return normal() / std::sqrt(-2 * std::log(product) / kDegreesOfFreedom);
    }

private:
    FastRandom random_;
};

}  // namespace

std::string_view to_string(DataShape shape) {
    constexpr std::array<std::string_view, 4> kNames{"normal", "heavy_tailed", "outlier_channels", "positive"};
    return kNames[static_cast<std::size_t>(shape)];
}

std::vector<double> data_of(DataShape shape, long rows, long width, std::uint64_t seed) {
    Numbers numbers(seed);
    std::vector<double> data(static_cast<std::size_t>(rows * width));
    for (std::size_t i = 0; i < data.size(); ++i) {
        switch (shape) {
            case DataShape::normal: data[i] = numbers.normal(); break;
            case DataShape::heavy_tailed: data[i] = numbers.student_t(); break;
            case DataShape::positive: data[i] = numbers.uniform(); break;
            case DataShape::outlier_channels:
                data[i] = numbers.normal();
                if (long(i) % width % kOutlierEvery == kFirstOutlier) data[i] *= kOutlierFactor;
                break;
        }
    }
    return data;
}

}  // namespace strata
