// Distillation over the whole vocabulary: the divergence between a teacher's and a student's law for each token, and
// its gradient for the student's logits (V4's on-policy distillation takes the reverse form, arXiv 2606.19348).
#pragma once

#include "kernels/work.hpp"

namespace strata {

enum class Divergence {
    forward,  // KL(teacher | student)
    reverse   // KL(student | teacher)
};

struct Distillation {
    double tokens = 0;
    double vocabulary = 0;
    double element_bytes = 2;

    constexpr Work work() const {
        const double elements = tokens * vocabulary;
        return {.flops = Flops(elements * 12), .read = Bytes(elements * element_bytes * 2), .written = Bytes(0)};
    }
};

struct DistillationGradient {
    double tokens = 0;
    double vocabulary = 0;
    double element_bytes = 2;

    constexpr Work work() const {
        const double elements = tokens * vocabulary;
        return {.flops = Flops(elements * 8),
                .read = Bytes(elements * element_bytes * 2),
                .written = Bytes(elements * element_bytes)};
    }
};

}  // namespace strata
