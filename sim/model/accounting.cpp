#include "sim/model/accounting.hpp"

#include <fmt/format.h>

#include <cmath>

namespace strata {

namespace {

bool is_mla(AttentionKind kind) { return kind == AttentionKind::mla || kind == AttentionKind::dsa; }

double query_parameters(const Model& model, double query_width) {
    const double rank = model.attention.q_rank;
    return rank > 0 ? model.hidden * rank + rank * query_width : model.hidden * query_width;
}

double indexer_parameters(const Model& model, double key_matrices) {
    const AttentionConfig& a = model.attention;
    const double query_from = a.q_rank > 0 ? a.q_rank : model.hidden;
    return query_from * a.indexer_heads * a.indexer_dim + model.hidden * a.indexer_heads +
           key_matrices * model.hidden * a.indexer_dim;
}

double mla_parameters(const Model& model) {
    const AttentionConfig& a = model.attention;
    return query_parameters(model, a.heads * (a.nope_dim + a.rope_dim)) + model.hidden * (a.kv_rank + a.rope_dim) +
           a.kv_rank * a.heads * (a.nope_dim + a.v_dim) + a.heads * a.v_dim * model.hidden;
}

// V4 forms (arXiv 2606.19348, section 2.3): low-rank query, one KV head, grouped low-rank output.
double v4_attention_parameters(const Model& model) {
    const AttentionConfig& a = model.attention;
    const double width = a.heads * a.head_dim;
    const double output = a.output_groups > 0 ? width * a.output_rank + a.output_groups * a.output_rank * model.hidden
                                              : width * model.hidden;
    return query_parameters(model, width) + model.hidden * a.head_dim + output;
}

// CSA has two overlapping paths of values and softmax weights (four matrices, and four for the index keys), HCA one
// path (two matrices).
double attention_parameters(const Model& model, const LayerAttention& layer) {
    const double entry_matrix = model.hidden * model.attention.head_dim;
    switch (layer.kind) {
        case AttentionKind::mla: return mla_parameters(model);
        case AttentionKind::dsa: return mla_parameters(model) + indexer_parameters(model, 1);
        case AttentionKind::csa:
            return v4_attention_parameters(model) + 4 * entry_matrix + indexer_parameters(model, 4);
        case AttentionKind::hca: return v4_attention_parameters(model) + 2 * entry_matrix;
        case AttentionKind::swa:
        case AttentionKind::reuse: return v4_attention_parameters(model);
    }
    return 0;  // unreachable: the enum is complete
}

bool is_prime(long long n) {
    if (n < 2 || n % 2 == 0) return n == 2;
    for (long long d = 3; d * d <= n; d += 2)
        if (n % d == 0) return false;
    return true;
}

// What a decoded token attends to in one layer, and what its indexer scores.
struct Reach {
    double attended = 0, indexed = 0;
};

Reach reach(const AttentionConfig& a, const LayerAttention& layer, double context) {
    const double entries = std::floor(context / layer.ratio);
    const double window = std::min(a.window, context);
    switch (layer.kind) {
        case AttentionKind::mla: return {context, 0};
        case AttentionKind::dsa: return {std::min(context, a.indexer_top_k), context};
        case AttentionKind::csa: return {std::min(entries, a.indexer_top_k) + window, entries};
        case AttentionKind::hca: return {entries + window, 0};
        case AttentionKind::swa: return {window, 0};
        case AttentionKind::reuse: return {std::min(entries, a.indexer_top_k) + window, 0};
    }
    return {};
}

// Counts one transformer layer in; returns what a token multiplies with.
double add_layer(ParameterCount& count, const Model& model, const LayerAttention& attention, bool dense) {
    const FfnConfig& ffn = model.ffn;
    double active = attention_parameters(model, attention);
    count.attention += active;
    if (dense) {
        count.dense += 3 * model.hidden * ffn.dense_width;
        active += 3 * model.hidden * ffn.dense_width;
    } else {
        const double expert = 3 * model.hidden * ffn.width;
        count.router += model.hidden * ffn.experts;
        count.shared += ffn.shared * expert;
        count.routed += ffn.experts * expert;
        active += model.hidden * ffn.experts + (ffn.shared + ffn.top_k) * expert;
    }
    // mHC: phi [n C][n^2 + 2 n] at each of the two sites.
    if (model.streams > 1) {
        const double mixes = 2 * model.streams * model.hidden * (model.streams * model.streams + 2 * model.streams);
        count.residual += mixes;
        active += mixes;
    }
    return active;
}

Bytes routed_bytes(const Model& model, const ParameterCount& count) {
    return Bytes(count.routed * bytes_per_element(model.experts));
}

// Embedding, head and router stay BF16 (DeepSeek-V3, section 3.3); shared experts are stored as the routed ones.
Bytes other_bytes(const Model& model, const ParameterCount& count) {
    const double plain =
        count.attention + count.dense + count.residual + count.engram_projection + count.mtp_projection;
    return Bytes((count.embedding + count.head + count.router) * 2 + count.shared * bytes_per_element(model.experts) +
                 plain * bytes_per_element(model.weights));
}

}  // namespace

double EngramConfig::rows_per_layer() const { return rows_each > 0 ? rows_each : double(buckets) * orders * heads; }

ParameterCount parameters(const Model& model) {
    ParameterCount count;
    count.embedding = count.head = model.vocab * model.hidden;
    count.active_decode = count.head;  // a prompt's tokens but the last never meet the head
    for (int layer = 0; layer < model.layers; ++layer) {
        const bool dense = model.ffn.experts == 0 || layer < model.ffn.dense_layers;
        const double active = add_layer(count, model, model.attention_of[static_cast<std::size_t>(layer)], dense);
        count.active_decode += active;
        if (layer < model.prefill_layers) count.active_prefill += active;
    }
    if (model.engram) {
        const EngramConfig& engram = *model.engram;
        // One key a stream and one value, each hidden wide, from the concatenated rows.
        const double projection = (model.streams + 1) * model.hidden * engram.rows_per_token() * engram.row_dim;
        for (const int layer : engram.layer_ids) {
            count.engram_projection += projection;
            count.active_decode += projection;
            if (layer < model.prefill_layers) count.active_prefill += projection;
        }
        count.engram_tables = engram.rows_per_layer() * double(engram.layer_ids.size()) * engram.row_dim;
    }
    return count;
}

ParameterCount mtp_parameters(const Model& model) {
    ParameterCount count;
    if (!model.mtp) return count;
    for (int layer = 0; layer < model.mtp->layers; ++layer) {
        const double projection = 2 * model.hidden * model.hidden;
        count.mtp_projection += projection;
        count.active_decode += projection + add_layer(count, model, model.mtp->attention, model.ffn.experts == 0);
    }
    return count;
}

WeightBytes weight_bytes(const Model& model) {
    const ParameterCount count = parameters(model), mtp = mtp_parameters(model);
    WeightBytes bytes;
    bytes.experts = routed_bytes(model, count);
    bytes.other = other_bytes(model, count);
    bytes.mtp = routed_bytes(model, mtp) + other_bytes(model, mtp);
    if (model.engram)
        bytes.engram =
            Bytes(model.engram->rows_per_layer() * double(model.engram->layer_ids.size()) * model.engram->row_bytes());
    return bytes;
}

double kv_bytes_per_token(const Model& model) {
    double bytes = index_bytes_per_token(model);
    for (const LayerAttention& layer : model.attention_of) {
        if (layer.kind == AttentionKind::swa || layer.kind == AttentionKind::reuse) continue;
        bytes += model.attention.entry_bytes / layer.ratio;
    }
    return bytes;
}

double window_bytes(const Model& model, double tokens) {
    const auto slides = [](const LayerAttention& layer) {
        return layer.kind != AttentionKind::mla && layer.kind != AttentionKind::dsa;
    };
    const auto layers = std::count_if(model.attention_of.begin(), model.attention_of.end(), slides);
    return double(layers) * std::min(model.attention.window, tokens) * model.attention.entry_bytes;
}

double index_bytes_per_token(const Model& model) {
    double bytes = 0;
    for (const LayerAttention& layer : model.attention_of)
        if (layer.kind == AttentionKind::dsa || layer.kind == AttentionKind::csa)
            bytes += model.attention.indexer_key_bytes / layer.ratio;
    return bytes;
}

std::vector<long long> engram_rows(const Model& model) {
    std::vector<long long> rows;
    if (!model.engram) return rows;
    const EngramConfig& engram = *model.engram;
    long long candidate = engram.buckets - 1;  // the search takes primes above this
    for (std::size_t layer = 0; layer < engram.layer_ids.size(); ++layer) {
        long long sum = 0;
        for (int table = 0; table < engram.orders * engram.heads; ++table) {
            do ++candidate;
            while (!is_prime(candidate));
            sum += candidate;
        }
        rows.push_back(sum);
    }
    return rows;
}

double decode_flops(const Model& model, double context, bool fp8_equivalent) {
    const double bf16 = fp8_equivalent ? 2 : 1, fp4 = fp8_equivalent ? 0.5 : 1;
    const auto weight = [&](Precision stored) {
        return model.activations_with(stored) == Precision::bf16 ? bf16 : 1.0;
    };
    const ParameterCount count = parameters(model);
    const FfnConfig& ffn = model.ffn;
    const double routed_active = ffn.experts > 0 ? count.routed * ffn.top_k / ffn.experts : 0;
    const double other = count.active_decode - routed_active - count.shared - count.head - count.router;
    double flops = 2 * ((routed_active + count.shared) * weight(model.experts) + other * weight(model.weights) +
                        (count.head + count.router) * weight(model.weights));
    const AttentionConfig& a = model.attention;
    for (const LayerAttention& layer : model.attention_of) {
        const Reach seen = reach(a, layer, context);
        // Score and value width: absorbed MLA 576 + 512, V4 entries 512 + 512; BF16 products. DSA's indexer is FP8,
        // V4's FP4, and on another dial what it says.
        const double widths = is_mla(layer.kind) ? 2 * a.kv_rank + a.rope_dim : 2 * a.head_dim;
        flops += 2 * seen.attended * a.heads * widths * bf16;
        const bool fp4_keys =
            model.index_keys ? bytes_per_element(*model.index_keys) < 1 : layer.kind == AttentionKind::csa;
        const double index_product = model.index_keys == Precision::bf16 ? bf16 : fp4_keys ? fp4 : 1;
        const double scored = a.indexer_candidates > 0 ? std::min(seen.indexed, a.indexer_candidates) : seen.indexed;
        flops += 2 * scored * a.indexer_heads * a.indexer_dim * index_product;
    }
    return flops;
}

double training_flops(const Model& model, double sequence) {
    double flops = 6 * parameters(model).active_decode;
    const AttentionConfig& a = model.attention;
    for (const LayerAttention& layer : model.attention_of) {
        // Training uses the expanded form: keys of nope + rope, values of v; a token sees half the sequence on average.
        const double widths = is_mla(layer.kind) ? a.nope_dim + a.rope_dim + a.v_dim : 2 * a.head_dim;
        flops += 3 * 2 * reach(a, layer, sequence / 2).attended * a.heads * widths;
    }
    return flops;
}

Model with_allocation(const Model& model, double rho) {
    const FfnConfig& ffn = model.ffn;
    if (ffn.experts == 0) throw InputError("model.rho: " + model.name + " has no routed experts to allocate to");
    const ParameterCount count = parameters(model);
    const double moe_layers = model.layers - ffn.dense_layers;
    const double one_each_layer = 3 * model.hidden * ffn.width * moe_layers;
    const double sparse = count.routed - one_each_layer * ffn.top_k + count.engram_tables;
    Model dialled = model;
    dialled.ffn.experts = std::round(rho * sparse / one_each_layer) + ffn.top_k;
    if (rho >= 1 && !model.engram) return model;
    if (!model.engram)
        throw InputError(fmt::format(
            "model.rho: {} has no Engram shape (layers, orders, heads, row_dim) to put rows into", model.name));
    const double left = sparse - (dialled.ffn.experts - ffn.top_k) * one_each_layer;
    const double row_parameters = model.engram->row_dim * double(model.engram->layer_ids.size());
    dialled.engram->rows_each = std::max(0.0, std::floor(left / row_parameters));
    if (dialled.engram->rows_each < 1) dialled.engram.reset();
    return dialled;
}

}  // namespace strata
