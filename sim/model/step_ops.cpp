#include "sim/model/step_ops.hpp"

#include <algorithm>

#include "sim/model/vision_encoder.hpp"

namespace strata {

namespace {

class LayerOps {
public:
    LayerOps(const Model& model, const StepShape& shape)
        : m_(model), a_(model.attention), s_(shape), tokens_(shape.tokens()), heads_(a_.heads / shape.tensor_ranks) {
        // A token of the step sees what is cached and, on average, half of the step's own tokens.
        context_ = s_.context + (s_.prefill ? s_.queries / 2 : 1);
        step_.ops.reserve(128);
    }

    StepLayers all() {
        const int layers = s_.prefill ? m_.prefill_layers : m_.layers;
        const int end = std::min(layers, s_.end_layer);
        if (s_.first_layer == 0) step_.ops = vision_ops(s_.images, m_.hidden);
        close();
        for (layer_ = s_.first_layer; layer_ < end; ++layer_) layer();
        if (end < layers) return std::move(step_);
        head();
        for (int i = 0; m_.mtp && i < s_.drafts; ++i) {
            product("mtp_projection", Slot::head, m_.hidden, 2 * m_.hidden);
            block(m_.mtp->attention, m_.ffn.experts == 0);
            close();
            ++layer_;
            head();
        }
        close();
        return std::move(step_);
    }

private:
    // A layer like an earlier one has the same ops.
    void layer() {
        const bool looks_up = m_.engram && std::find(m_.engram->layer_ids.begin(), m_.engram->layer_ids.end(),
                                                     layer_) != m_.engram->layer_ids.end();
        Kind now{m_.attention_of[static_cast<std::size_t>(layer_)], m_.ffn.experts == 0 || layer_ < m_.ffn.dense_layers,
                 looks_up, step_.ops.size(), 0};
        for (const Kind& known : kinds_)
            if (known.attention == now.attention && known.dense == now.dense && known.looks_up == now.looks_up)
                return step_.layers.push_back({layer_, known.first, known.end});
        if (looks_up) engram();
        block(now.attention, now.dense);
        close();
        now.end = step_.ops.size();
        kinds_.push_back(now);
    }

    struct Kind {
        LayerAttention attention;
        bool dense, looks_up;
        std::size_t first, end;  // of its ops
    };

    // What was added since then is the layer's.
    void close() {
        if (closed_ < step_.ops.size()) step_.layers.push_back({layer_, closed_, step_.ops.size()});
        closed_ = step_.ops.size();
    }

    void block(const LayerAttention& kind, bool dense) {
        site_begins("attention_mix");
        attention(kind);
        site_ends("attention_spread");
        site_begins("ffn_mix");
        ffn(dense);
        site_ends("ffn_spread");
    }

    void head() {
        add("lm_head", Slot::head,
            Gemm{.m = s_.sequences * (s_.prefill ? 1 : s_.queries), .n = m_.vocab / s_.tensor_ranks, .k = m_.hidden});
    }

    template <class Shape>
    void add(std::string_view name, Slot slot, const Shape& shape) {
        Op& op = step_.ops.emplace_back();
        op.name = name;
        op.slot = slot;
        op.layer = layer_;
        op.shape = shape;
    }
    // `times` the tokens of this rank.
    void product(std::string_view name, Slot slot, double n, double k, double times = 1) {
        add(name, slot,
            Gemm{.m = tokens_ * times,
                 .n = n,
                 .k = k,
                 .weights = m_.weights,
                 .activations = m_.activations_with(m_.weights)});
    }

    void site_begins(std::string_view name) {
        if (m_.streams > 1)
            add(name, Slot::residual, MhcPre{.tokens = tokens_, .hidden = m_.hidden, .streams = m_.streams});
    }
    void site_ends(std::string_view name) {
        if (m_.streams > 1)
            add(name, Slot::residual, MhcPost{.tokens = tokens_, .hidden = m_.hidden, .streams = m_.streams});
    }

    // Rows are looked up for the rank's own tokens; keys and value come from one product.
    void engram() {
        const EngramConfig& e = *m_.engram;
        add("engram_fetch", Slot::memory,
            EngramFetch{.tokens = tokens_, .rows_per_token = e.rows_per_token(), .row_bytes = e.row_bytes()});
        product("engram_keys_value", Slot::memory, (m_.streams + 1) * m_.hidden / s_.tensor_ranks,
                e.rows_per_token() * e.row_dim);
        add("engram_gate", Slot::memory, EngramGate{.tokens = tokens_, .hidden = m_.hidden, .streams = m_.streams});
        if (e.conv_taps > 0)
            add("engram_conv", Slot::memory,
                EngramConv{.tokens = tokens_,
                           .hidden = m_.hidden,
                           .streams = m_.streams,
                           .taps = e.conv_taps,
                           .decode = !s_.prefill});
    }

    void attention(const LayerAttention& kind) {
        switch (kind.kind) {
            case AttentionKind::mla: return mla(context_, 0);
            case AttentionKind::dsa: return mla(std::min(context_, a_.indexer_top_k), context_);
            default: return v4(kind);
        }
    }

    void query(double width) {
        if (a_.q_rank > 0) product("q_up", Slot::attention, width, a_.q_rank);
    }
    double down_width(double kv_width, double full_query) const {
        return (a_.q_rank > 0 ? a_.q_rank : full_query) + kv_width;
    }

    void indexer(double keys, double key_matrices) {
        if (keys <= 0) return;
        product("indexer_q", Slot::attention, a_.indexer_heads * a_.indexer_dim, a_.q_rank > 0 ? a_.q_rank : m_.hidden);
        product("indexer_k_w", Slot::attention, key_matrices * a_.indexer_dim + a_.indexer_heads, m_.hidden);
        const double scored = a_.indexer_candidates > 0 ? std::min(keys, a_.indexer_candidates) : keys;
        add("indexer_logits", Slot::attention,
            IndexerLogits{.sequences = s_.sequences,
                          .queries = s_.queries,
                          .keys = scored,
                          .heads = a_.indexer_heads,
                          .head_dim = a_.indexer_dim,
                          .key_bytes = a_.indexer_key_bytes,
                          .shared_reads = tile(),
                          .bf16_keys = m_.index_keys == Precision::bf16});
        add("indexer_top_k", Slot::attention, IndexerTopK{.rows = tokens_, .keys = scored, .k = a_.indexer_top_k});
    }

    // Query tokens that read a key tile together: prefill kernels work on 64 rows; in decode a token and its drafts.
    double tile() const { return std::min(64.0, s_.queries); }

    // Absorbed form over latent entries: the up-projections of keys and values move to the query and the output.
    void mla(double attended, double indexed) {
        const double query_width = heads_ * (a_.nope_dim + a_.rope_dim);
        product("qkv_down", Slot::attention, down_width(a_.kv_rank + a_.rope_dim, query_width), m_.hidden);
        query(query_width);
        indexer(indexed, 1);
        if (s_.prefill && indexed == 0) {
            product("kv_up", Slot::attention, heads_ * (a_.nope_dim + a_.v_dim), a_.kv_rank, s_.context_ranks);
            add("attention", Slot::attention,
                ContextAttention{.sequences = s_.sequences,
                                 .length = s_.queries,
                                 .past = s_.context,
                                 .heads = heads_,
                                 .key_dim = a_.nope_dim + a_.rope_dim,
                                 .value_dim = a_.v_dim});
        } else {
            product("absorb_k", Slot::attention, heads_ * a_.nope_dim, a_.kv_rank);
            add("attention", Slot::attention,
                LatentAttention{.sequences = s_.sequences,
                                .queries = s_.queries,
                                .heads = heads_,
                                .attended = attended,
                                .entry_bytes = a_.entry_bytes,
                                .score_dim = a_.kv_rank + a_.rope_dim,
                                .value_dim = a_.kv_rank,
                                .shared_reads = indexed > 0 ? 1 : tile()});
            product("absorb_v", Slot::attention, heads_ * a_.v_dim, a_.kv_rank);
        }
        product("output", Slot::attention, m_.hidden, heads_ * a_.v_dim);
    }

    void v4(const LayerAttention& layer) {
        const bool compresses = layer.kind == AttentionKind::csa || layer.kind == AttentionKind::hca;
        const double extra = layer.kind == AttentionKind::csa ? 4 : layer.kind == AttentionKind::hca ? 2 : 0;
        const double entries = layer.kind == AttentionKind::swa ? 0 : std::floor(context_ / layer.ratio);
        const bool selects = layer.kind == AttentionKind::csa || layer.kind == AttentionKind::reuse;
        const double width = heads_ * a_.head_dim;
        product("qkv_down", Slot::attention, down_width((1 + (compresses ? extra : 0)) * a_.head_dim, width),
                m_.hidden);
        query(width);
        if (layer.kind == AttentionKind::csa) indexer(entries, 4);
        const double attended =
            (selects ? std::min(entries, a_.indexer_top_k) : entries) + std::min(a_.window, context_);
        add("attention", Slot::attention,
            LatentAttention{.sequences = s_.sequences,
                            .queries = s_.queries,
                            .heads = heads_,
                            .attended = attended,
                            .entry_bytes = a_.entry_bytes,
                            .score_dim = a_.head_dim,
                            .value_dim = a_.head_dim,
                            .shared_reads = selects ? 1 : tile()});
        if (a_.output_groups > 0) {
            product("output_groups", Slot::attention, a_.output_rank, width);
            product("output", Slot::attention, m_.hidden, a_.output_groups / s_.tensor_ranks * a_.output_rank);
        } else {
            product("output", Slot::attention, m_.hidden, width);
        }
    }

    void ffn(bool dense) {
        const FfnConfig& f = m_.ffn;
        if (dense) return swiglu("dense", f.dense_width / s_.tensor_ranks, m_.weights);
        add("router", Slot::ffn, Gemm{.m = tokens_, .n = f.experts, .k = m_.hidden});
        if (f.shared > 0) swiglu("shared", f.shared * f.width / s_.tensor_ranks, m_.experts);
        routed();
    }

    // Ranks of one tensor group hold the same tokens, which meet the experts once; where fewer ranks share the experts
    // than split the tensors, each expert is split too.
    void routed() {
        const FfnConfig& f = m_.ffn;
        const double physical = f.experts + s_.redundant_experts;
        const double width = f.width / std::max(1.0, s_.tensor_ranks / s_.expert_ranks);
        const MoeExperts experts{.tokens = tokens_ * std::max(1.0, s_.expert_ranks / s_.tensor_ranks),
                                 .hidden = m_.hidden,
                                 .intermediate = width,
                                 .top_k = f.top_k,
                                 .experts = physical,
                                 .local_experts = physical / s_.expert_ranks,
                                 .weights = m_.experts,
                                 .activations = m_.activations_with(m_.experts)};
        if (s_.fused_experts) return add("experts", Slot::experts, experts);
        if (s_.cutlass_experts) return add("experts", Slot::experts, CutlassExperts{experts});
        const double rows = experts.pairs(), groups = std::min(rows, experts.touched_experts());
        GroupedGemm product{.rows = rows,
                            .groups = groups,
                            .n = 2 * width,
                            .k = m_.hidden,
                            .weights = m_.experts,
                            .activations = experts.activations};
        add("experts_gate_up", Slot::experts, product);
        add("experts_swiglu", Slot::experts, SwigluQuantise{.rows = rows, .width = width, .out = experts.activations});
        product.n = m_.hidden, product.k = width;
        add("experts_down", Slot::experts, product);
    }

    void swiglu(std::string_view which, double width, Precision weights) {
        const bool shared = which == "shared";
        Gemm product{.m = tokens_,
                     .n = 2 * width,
                     .k = m_.hidden,
                     .weights = weights,
                     .activations = m_.activations_with(weights)};
        add(shared ? "shared_gate_up" : "dense_gate_up", Slot::ffn, product);
        product.n = m_.hidden, product.k = width;
        add(shared ? "shared_down" : "dense_down", Slot::ffn, product);
    }

    const Model& m_;
    const AttentionConfig& a_;
    const StepShape& s_;
    double tokens_, heads_, context_ = 0;
    int layer_ = 0;
    StepLayers step_;
    std::size_t closed_ = 0;
    std::vector<Kind> kinds_;
};

}  // namespace

StepLayers step_layers(const Model& model, const StepShape& shape) { return LayerOps(model, shape).all(); }

std::vector<Op> step_ops(const Model& model, const StepShape& shape) {
    const StepLayers step = step_layers(model, shape);
    std::vector<int> place(step.ops.size(), -1);  // where the op stands first
    std::vector<Op> ops;
    for (const StepLayers::Layer& layer : step.layers)
        for (std::size_t i = layer.first; i < layer.end; ++i) {
            Op& op = ops.emplace_back(step.ops[i]);
            op.layer = layer.number;
            if (place[i] >= 0)
                op.twin = place[i];
            else
                place[i] = static_cast<int>(ops.size()) - 1;
        }
    return ops;
}

}  // namespace strata
