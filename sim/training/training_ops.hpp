// The kernels of one micro-batch of training on one rank, forward and backward, out of the ops of a step's forward pass
// (sim/model/step_ops.hpp). Unlike there, what is neither product nor attention is listed too: norms, quantisation,
// permutations and sums run between FP8 products as kernels of their own, and are a fifth of a layer's time.
#pragma once

#include <string_view>
#include <vector>

#include "sim/cost/cost_book.hpp"
#include "sim/model/model.hpp"
#include "sim/scenario/training_workload.hpp"

namespace strata {

enum class Gradient : std::uint8_t {
    forward,
    input,   // of the loss by what went in: the layer before waits for it
    weights  // by the weights: the optimiser alone waits for it
};

struct TrainingOp {
    std::string_view name;  // of the forward op that it belongs to
    Slot slot = Slot::attention;
    Gradient gradient = Gradient::forward;
    KernelWork work{};
    bool borrowed = false;  // nobody has measured it: the forward kernel's efficiency stands in
};

// The time of attention's backward kernel, of which nothing else is published, for that of the forward one: the middle
// of the eleven shapes of attention_backward_h200.csv, measured, which lie between 2.95 and 4.04.
inline constexpr double kAttentionBackward = 3.34;

// A model as it is pre-trained: a sequence's tokens pass all layers, and experts that are shipped in FP4 are FP8, since
// quantisation-aware training to FP4 comes afterwards (DeepSeek-V4, arXiv 2606.19348).
Model as_trained(const Model& model);

// The forward ops of a micro-batch: the head sees all tokens, not each sequence's last.
std::vector<Op> training_forward(const Model& trained, const StepShape& micro_batch);

// All three passes of some forward ops.
std::vector<TrainingOp> training_ops(const Model& trained, const std::vector<Op>& forward, Recompute recompute);

}  // namespace strata
