// Group relative policy optimisation (DeepSeekMath, arXiv 2402.03300; V3.2's changes, arXiv 2512.02556): what its
// passes over the logits move, and the choices its loss leaves open.
#pragma once

#include "kernels/work.hpp"

namespace strata {

// log p of the taken tokens: the logits are read once, whatever else is of a token is not counted.
struct TokenLogp {
    double tokens = 0;
    double vocabulary = 0;
    double element_bytes = 2;

    constexpr Work work() const {
        const double elements = tokens * vocabulary;
        // A maximum, a multiply-add, a power and a sum an element.
        return {.flops = Flops(elements * 5), .read = Bytes(elements * element_bytes), .written = Bytes(0)};
    }
};

// Its gradient with respect to the logits.
struct TokenLogpGradient {
    double tokens = 0;
    double vocabulary = 0;
    double element_bytes = 2;

    constexpr Work work() const {
        const double elements = tokens * vocabulary;
        return {.flops = Flops(elements * 4),
                .read = Bytes(elements * element_bytes),
                .written = Bytes(elements * element_bytes)};
    }
};

// The loss of tokens whose log p are known: three log p in, a slope and a loss out.
struct PolicyLoss {
    double tokens = 0;

    constexpr Work work() const {
        return {.flops = Flops(tokens * 20), .read = Bytes(tokens * 3 * 4), .written = Bytes(tokens * 2 * 4)};
    }
};

// What the sum of token losses is divided by: the counted tokens of the batch, or first those of each sequence and then
// the sequences (DeepSeekMath's).
enum class Aggregation { tokens, sequences };

struct GrpoOptions {
    float clip_low = 0.2f;  // ratios are clipped to [1 - clip_low, 1 + clip_high]
    float clip_high = 0.2f;
    float cap = 0;             // of the ratio where the advantage is negative (two-sided clipping); 0: none
    float kl_weight = 0.04f;   // arXiv 2402.03300, section 4.2
    bool unbiased_kl = false;  // V3.2: the estimate is weighted with the ratio
    // V3.2: a sequence of negative advantage whose mean log(old / new) is above this teaches nothing; 0: none.
    float off_policy_limit = 0;
    Aggregation aggregation = Aggregation::sequences;
};

}  // namespace strata
