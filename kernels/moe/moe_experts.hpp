// The routed experts of one layer on one rank: gate, up and down projection of every (token, expert) pair that
// landed here. Tokens spread over experts uniformly; skew is the placement's business.
#pragma once

#include <cmath>

#include "kernels/work.hpp"

namespace strata {

struct MoeExperts {
    double tokens = 0;  // tokens whose routing was decided, over all ranks that share these experts
    double hidden = 0;
    double intermediate = 0;  // of the slice held by this rank (tensor-parallel experts are narrower)
    double top_k = 0;
    double experts = 0;        // in the whole layer
    double local_experts = 0;  // on this rank
    Precision weights = Precision::fp8_block;
    Precision activations = activations_for(weights);  // BF16 or FP8

    constexpr bool in_fp8() const { return activations != Precision::bf16; }
    constexpr double pairs() const { return tokens * top_k * local_experts / experts; }

    // Expected number of local experts with at least one token: each token picks top_k of experts without
    // replacement, so an expert stays idle with probability (1 - top_k/experts)^tokens.
    double touched_experts() const { return local_experts * -std::expm1(tokens * std::log1p(-top_k / experts)); }

    // Weights of touched experts are read once; activations go in as they are and come out as BF16; the
    // intermediate between the two products is written and read once.
    Work work() const {
        const double tile = bytes_per_element(activations);
        const double expert_bytes = 3 * hidden * intermediate * bytes_per_element(weights);
        return {.flops = Flops(6 * pairs() * hidden * intermediate),
                .read = Bytes(touched_experts() * expert_bytes + pairs() * (hidden + intermediate) * tile),
                .written = Bytes(pairs() * (hidden * 2 + intermediate * tile))};
    }
};

}  // namespace strata
