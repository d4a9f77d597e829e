// The softmax of a row in one reading: a running maximum and the sum of powers of two below it. Everything is in base 2
// with the temperature folded into `scale`, so that an element costs one multiply-add and one ex2, and the rounding of
// the maximum cancels out of the logarithm.
//   scale = log2(e) / temperature;  sum = sum_v 2^(scale x_v - max);  log2 of the softmax = scale x - max - log2(sum)
// A logit of -inf weighs nothing; a NaN or +inf makes the sum NaN; a row of nothing but -inf has sum 0.
#pragma once

#include <cmath>

#include "kernels/simt/warp.hpp"

namespace strata {

inline constexpr float kLog2e = 1.44269504f;
inline constexpr float kLn2 = 0.693147181f;

STRATA_HD float exp2_of(float x) {
#ifdef __CUDA_ARCH__
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
#else
    return std::exp2(x);
#endif
}

struct OnlineSoftmax {
    // Not -inf: that less itself would be NaN. Its powers are zero for every logit that a model gives.
    static constexpr float kLowest = -1e38f;

    float max = kLowest;  // of scale * x
    float sum = 0;

    STRATA_HD float log2_sum() const { return max + log2f(sum); }
    // Whether a law can be read off it: some finite logit, and neither NaN nor +inf.
    STRATA_HD bool is_law() const { return sum > 0 && sum < INFINITY; }
};

// The logits of one slice, all loaded: `count` of them at x.
template <int count>
STRATA_BODY void absorb(OnlineSoftmax& softmax, const float (&x)[count], float scale) {
    float highest = x[0];
    STRATA_UNROLL
    for (int i = 1; i < count; ++i) highest = fmaxf(highest, x[i]);
    const float max = fmaxf(softmax.max, highest * scale);
    float sum = softmax.sum * exp2_of(softmax.max - max);
    STRATA_UNROLL
    for (int i = 0; i < count; ++i) sum += exp2_of(fmaf(x[i], scale, -max));
    softmax = {max, sum};
}

// Over the block, in a fixed order; every thread gets the result. `scratch`: one float a warp.
template <class Thread>
STRATA_BODY OnlineSoftmax merged(Thread& t, const OnlineSoftmax& mine, float* scratch) {
    const float max = block_max(t, mine.max, scratch);
    return {max, block_sum(t, mine.sum * exp2_of(mine.max - max), scratch)};
}

}  // namespace strata
