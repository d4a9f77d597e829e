// Verification of drafted tokens against the target model's law (speculative sampling, arXiv 2211.17192 and
// 2302.01318): a draft x is kept where u p(x) < q(x); the first that is not is replaced by a draw from relu(q - p)
// normalised, and after the last one that is kept comes one more, drawn from q. What is emitted has exactly the
// target's law.
#pragma once

#include "kernels/work.hpp"

namespace strata {

// What is known of the law that drafts were drawn from.
enum class DraftLaw {
    logits,         // of the draft model, at the target's temperature
    probabilities,  // themselves, already normalised
    certain         // drafts were not drawn (the draft model's best ones): p(x) = 1
};

struct SpeculativeVerify {
    double sequences = 0;
    double drafts = 3;  // a sequence
    double vocabulary = 129280;
    double element_bytes = 4;
    bool reads_drafts = true;  // false where p is certain, and for greedy decoding

    // Each row once: what the second look at one row a sequence takes comes from L2 where it fits and is not counted.
    constexpr Work work() const {
        const double elements = sequences * (drafts + 1 + (reads_drafts ? drafts : 0)) * vocabulary;
        return {.flops = Flops(elements * 5),
                .read = Bytes(elements * element_bytes),
                .written = Bytes(sequences * (drafts + 3) * 4)};
    }
};

}  // namespace strata
