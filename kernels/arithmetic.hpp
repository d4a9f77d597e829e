// The functions of one number that kernels and tests share.
#pragma once

#include <cmath>

#include "kernels/simt/portable.hpp"

namespace strata {

STRATA_HD float rsqrt_of(float x) {
#ifdef __CUDA_ARCH__
    return rsqrtf(x);
#else
    return 1.0f / std::sqrt(x);
#endif
}

// e^x to two units in the last place of float, which is what __expf gives for |x| < 80.
STRATA_HD float exp_of(float x) {
#ifdef __CUDA_ARCH__
    return __expf(x);
#else
    return std::exp(x);
#endif
}

STRATA_HD float sigmoid(float x) { return 1.0f / (1.0f + exp_of(-x)); }
STRATA_HD float silu(float x) { return x / (1.0f + exp_of(-x)); }

STRATA_HD float min_of(float a, float b) { return a < b ? a : b; }
STRATA_HD float max_of(float a, float b) { return a > b ? a : b; }
// Larger of the magnitudes; a NaN stays seen (fmax would drop it).
STRATA_HD float amax_of(float amax, float x) {
    const float magnitude = x < 0 ? -x : x;
    return magnitude <= amax ? amax : magnitude;
}

}  // namespace strata
