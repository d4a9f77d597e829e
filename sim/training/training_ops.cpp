#include "sim/training/training_ops.hpp"

#include <algorithm>
#include <stdexcept>

#include "sim/model/element_bytes.hpp"
#include "sim/model/step_ops.hpp"

namespace strata {

namespace {

// Moved through memory by kernels that compute next to nothing. Their share of the peak is that of SwiGLU with
// quantisation.
KernelWork streamed(double read, double written) {
    return {.family = Family::swiglu_quantise,
            .fp8 = false,
            .work = {.flops = Flops(0), .read = Bytes(read), .written = Bytes(written)}};
}

KernelWork scaled(const KernelWork& forward, double flops, double bytes) {
    KernelWork work = forward;
    work.work.flops = work.work.flops * flops;
    work.work.read = work.work.read * bytes;
    work.work.written = work.work.written * bytes;
    work.point.reset();
    return work;
}

class PassesOf {
public:
    PassesOf(const Model& model, Recompute recompute) : model_(model), recompute_(recompute) {}

    void add(const Op& op) {
        op_ = &op;
        again_ = recompute_ == Recompute::full && op.slot != Slot::head;
        std::visit([this](const auto& shape) { passes(shape); }, op.shape);
    }
    std::vector<TrainingOp> ops() && { return std::move(ops_); }

private:
    void put(Gradient gradient, const KernelWork& work, bool borrowed = false) {
        ops_.push_back({op_->name, op_->slot, gradient, work, borrowed});
    }
    // A forward kernel, and once more in the backward pass where what it made was not kept.
    void forward(const KernelWork& work, bool selective = false) {
        put(Gradient::forward, work);
        if (again_ || (selective && recompute_ == Recompute::selective)) put(Gradient::input, work);
    }
    bool is(std::string_view name) const { return op_->name == name; }

    void passes(const Gemm& product) {
        const bool makes_operands = is("q_up") || is("kv_up") || is("absorb_k");
        const double in = product.m * product.k, out = product.m * product.n;
        site(product);
        if (product.in_fp8() && !is("shared_down") && !is("dense_down"))
            forward(streamed(in * kBf16, in), makes_operands);  // quantised in 1x128 tiles, with the norm before it
        forward(kernel_work(product), makes_operands);
        // dX = dY W, dW = dY^T X.
        Gemm inputs = product, weights = product;
        inputs.n = product.k, inputs.k = product.n;
        weights.m = product.n, weights.n = product.k, weights.k = product.m;
        if (weights.in_fp8()) weights.weights = Precision::fp8_block;
        put(Gradient::input, kernel_work(inputs));
        put(Gradient::weights, kernel_work(weights));
        quantise_gradients(product.in_fp8(), in, out);
        accumulate(product.n * product.k);
        if (is("shared_gate_up") || is("dense_gate_up"))
            passes(SwigluQuantise{.rows = product.m, .width = product.n / 2, .out = product.activations});
        if (is("lm_head")) {  // logits are read for the loss, and their gradients are written
            forward(streamed(out * kBf16, 0));
            put(Gradient::input, streamed(out * kBf16, out * kBf16));
        }
    }

    // Norm before a product that begins a site, and residual addition behind it; mHC has kernels of its own for the
    // latter.
    void site(const Gemm& product) {
        if (!is("qkv_down") && !is("router") && !is("dense_gate_up")) return;
        const double elements = product.m * product.k;
        forward(streamed(elements * kBf16, elements * kBf16), true);
        if (model_.streams == 1) forward(streamed(elements * 2 * kBf16, elements * kBf16));
        put(Gradient::input, streamed(elements * 3 * kBf16, elements * kBf16));
    }

    // Gradients are quantised in 1x128 tiles for inputs and 128x1 for weights; activations, kept in 1x128, are turned
    // to 128x1 (DeepSeek-V3, section 3.3.2).
    void quantise_gradients(bool in_fp8, double in, double out) {
        if (!in_fp8) return;
        put(Gradient::input, streamed(out * kBf16, 2 * out));
        put(Gradient::weights, streamed(in, in));
    }

    // Gradients of weights are summed in FP32 over micro-batches (DeepSeek-V3, section 3.3.3). The product itself
    // counts BF16 written: read and write FP32 in its place.
    void accumulate(double parameters) {
        put(Gradient::weights, streamed(parameters * kFp32, parameters * (kFp32 - kBf16)));
    }

    // Rows come sorted by rank and leave sorted by expert, and back; a token's results are summed where it came from.
    void passes(const GroupedGemm& product) {
        const bool enters = is("experts_gate_up");
        const double in = product.rows * product.k, out = product.rows * product.n;
        const double sent = bytes_per_element(product.activations);
        const KernelWork permuted = enters ? streamed(in * sent, in * sent)
                                           : streamed(out * kBf16, out * kBf16 / std::max(1.0, model_.ffn.top_k));
        forward(permuted);
        put(Gradient::input, permuted);
        forward(kernel_work(product));
        GroupedGemm inputs = product;
        inputs.n = product.k, inputs.k = product.n;
        put(Gradient::input, kernel_work(inputs));
        // An expert's rows are what is summed over: each reads its rows and writes a matrix.
        KernelWork weights = kernel_work(product);
        weights.work.read = Bytes((in + out) * sent);
        weights.work.written = Bytes(product.groups * product.n * product.k * kBf16);
        weights.point.reset();
        put(Gradient::weights, weights);
        quantise_gradients(product.in_fp8(), in, out);
        accumulate(product.groups * product.n * product.k);
    }

    // Gate and up are kept as they are multiplied, in FP8, and the product is computed again (DeepSeek-V3, section
    // 3.3.3).
    void passes(const SwigluQuantise& swiglu) {
        const double elements = swiglu.rows * swiglu.width, kept = bytes_per_element(swiglu.out);
        forward(kernel_work(swiglu), true);
        put(Gradient::input, streamed(elements * (2 * kept + kBf16), elements * 2 * kBf16));
    }

    // Backward attention: scores again, then gradients of values, probabilities, queries and keys: five products for
    // two, and each tensor read and written beside its gradient.
    template <class Attention>
    void attention(const Attention& op, double rotated) {
        const KernelWork work = kernel_work(op);
        forward(streamed(rotated * kBf16, rotated * kBf16), true);
        forward(work);
        put(Gradient::input, scaled(work, kAttentionBackward, 2.5), true);
        put(Gradient::input, streamed(rotated * kBf16, rotated * kBf16));
    }
    void passes(const ContextAttention& op) { attention(op, 2 * op.sequences * op.length * op.heads * op.key_dim); }
    void passes(const LatentAttention& op) { attention(op, op.sequences * op.queries * op.heads * op.score_dim); }

    // Gradients of queries and of keys, a product each.
    void passes(const IndexerLogits& op) {
        forward(kernel_work(op));
        put(Gradient::input, scaled(kernel_work(op), 2, 2), true);
    }
    void passes(const IndexerTopK& op) { forward(kernel_work(op)); }

    // In: the layer input's gradient and the streams; out: the streams' gradients, added to what is there.
    void passes(const MhcPre& op) {
        const double elements = op.tokens * op.hidden;
        forward(kernel_work(op), true);
        KernelWork back = scaled(kernel_work(op), 2, 1);
        back.work.read = Bytes(elements * (2 * op.streams + 1) * kBf16);
        back.work.written = Bytes(elements * op.streams * kBf16);
        put(Gradient::input, back, true);
    }
    // In: the new streams' gradients, the old streams and the layer's output; out: the gradients of the latter two.
    void passes(const MhcPost& op) {
        const double elements = op.tokens * op.hidden;
        forward(kernel_work(op), true);
        KernelWork back = scaled(kernel_work(op), 2, 1);
        back.work.read = Bytes(elements * (2 * op.streams + 1) * kBf16);
        back.work.written = Bytes(elements * (op.streams + 1) * kBf16);
        put(Gradient::input, back, true);
    }

    // Rows are gathered for the ranks that ask, and their gradients summed into FP32 where the rows are.
    void passes(const EngramFetch& op) {
        forward(kernel_work(op));
        const double elements = op.rows() * (model_.engram ? model_.engram->row_dim : 0);
        put(Gradient::weights, streamed(elements * (kBf16 + kFp32), elements * kFp32));
    }
    void passes(const EngramGate& op) { memory_bound(op); }
    void passes(const EngramConv& op) { memory_bound(op); }
    template <class Kernel>
    void memory_bound(const Kernel& op) {
        forward(kernel_work(op), true);
        put(Gradient::input, scaled(kernel_work(op), 2, 2), true);
    }
    // Training's steps hold no pages.
    template <class Vision>
    requires std::is_same_v<Vision, FullAttention> || std::is_same_v<Vision, StridedConvolution> ||
        std::is_same_v<Vision, Patchify>
    void passes(const Vision&) { throw std::logic_error("training runs no vision encoder"); }
    void passes(const MoeExperts&) { throw std::logic_error("training runs grouped products"); }
    void passes(const CutlassExperts&) { throw std::logic_error("training runs grouped products"); }

    const Model& model_;
    Recompute recompute_;
    bool again_ = false;
    const Op* op_ = nullptr;
    std::vector<TrainingOp> ops_;
};

}  // namespace

Model as_trained(const Model& model) {
    Model trained = model;
    trained.prefill_layers = model.layers;
    if (trained.experts == Precision::fp4_block) trained.experts = Precision::fp8_block;
    return trained;
}

std::vector<Op> training_forward(const Model& trained, const StepShape& micro_batch) {
    std::vector<Op> ops = step_ops(trained, micro_batch);
    for (Op& op : ops)
        if (op.name == "lm_head") std::get<Gemm>(op.shape).m = micro_batch.tokens();
    return ops;
}

std::vector<TrainingOp> training_ops(const Model& trained, const std::vector<Op>& forward, Recompute recompute) {
    PassesOf passes(trained, recompute);
    for (const Op& op : forward) passes.add(op);
    return std::move(passes).ops();
}

}  // namespace strata
