// How close attention's results must be, by the measure of FlashMLA's tests: each number within an absolute or within a
// relative bound, infinities where they should be, and all together within a cosine difference.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace strata {

struct LatentTolerance {
    double absolute;
    double relative;
    double cosine;
};

// Weights are rounded to BF16 before they meet the values, and so is the result: 1/256 each.
inline constexpr LatentTolerance kDecodeOut{8e-4, 2.01 / 128, 5e-6};
inline constexpr LatentTolerance kSparseDecodeOut{1e-3, 2.01 / 128, 5e-6};
inline constexpr LatentTolerance kSparsePrefillOut{8e-4, 3.01 / 128, 7e-6};
// FP32 throughout; a sum of logarithms near zero has no relative precision.
inline constexpr LatentTolerance kDecodeLse{1e-6, 8.01 / 65536, 1e-8};
inline constexpr LatentTolerance kSparsePrefillLse{1e-6, 2.01 / 65536, 1e-8};

struct LatentDistance {
    double worst = 0;  // difference / bound: at most 1
    std::size_t at = 0;
    double cosine = 0;  // 1 - 2 sum(xy) / sum(x^2 + y^2) of the finite numbers
};

inline LatentDistance distance_of(const std::vector<double>& is, const std::vector<double>& should,
                                  const LatentTolerance& tolerance) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    LatentDistance distance{is.size() == should.size() ? 0 : kInfinity};
    double product = 0, squares = 0;
    for (std::size_t i = 0; i < is.size() && i < should.size(); ++i) {
        if (is[i] == should[i] && std::isinf(is[i])) continue;
        const double apart = std::abs(is[i] - should[i]);
        double share = std::fmin(apart / tolerance.absolute, apart / (tolerance.relative * std::abs(should[i])));
        if (!std::isfinite(is[i]) || !std::isfinite(should[i])) share = kInfinity;
        if (share > distance.worst) distance.worst = share, distance.at = i;
        product += is[i] * should[i];
        squares += is[i] * is[i] + should[i] * should[i];
    }
    if (squares > 0) distance.cosine = 1 - 2 * product / squares;
    return distance;
}

inline bool within(const LatentDistance& distance, const LatentTolerance& tolerance) {
    return distance.worst <= 1 && distance.cosine <= tolerance.cosine;
}

}  // namespace strata
