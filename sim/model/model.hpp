// What the network is: dimensions, the component in each slot of each layer, and how each tensor class is stored.
// Read strictly from YAML; exact accounting of parameters, bytes and FLOPs is derived from it (accounting.hpp).
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "hwmodels/yaml_field.hpp"
#include "sim/model/op.hpp"

namespace strata {

enum class AttentionKind {
    mla,   // dense multi-head latent attention (DeepSeek-V2, -V3)
    dsa,   // MLA over rows that a lightning indexer selects (V3.2)
    swa,   // sliding window only
    csa,   // V4: entries compressed `ratio` to one, selected by the indexer, with the window
    hca,   // V4: entries compressed heavily, all attended, with the window
    reuse  // V4.1: reads entries and selection of an earlier layer, keeps none of its own
};

struct LayerAttention {
    AttentionKind kind = AttentionKind::mla;
    double ratio = 1;  // tokens in one KV entry
    bool operator==(const LayerAttention&) const = default;
};

struct AttentionConfig {
    double heads = 0;
    double q_rank = 0;                                                 // 0: the query is projected in one step
    double kv_rank = 512, rope_dim = 64, nope_dim = 128, v_dim = 128;  // mla, dsa
    double head_dim = 512;                                             // V4 forms: one KV head, entry is key and value
    double output_groups = 0, output_rank = 0;                         // V4 forms: grouped low-rank output
    double window = 0;
    double entry_bytes = 0;  // one KV entry as stored
    double indexer_heads = 0, indexer_dim = 128, indexer_top_k = 0, indexer_key_bytes = 0;
    double indexer_candidates = 0;  // keys that are scored at most (coarse token-group selection); 0: all
};

// How a layer's router chooses. Softmax scores depend on each other, and no router here has them.
struct RouterConfig {
    bool sqrt_softplus = false;  // V4's score; else sigmoid, V3's
    int groups = 1, kept = 1;    // only experts of the best groups are chosen
    int hash_layers = 0;         // the first MoE layers, whose experts follow from the token's id
    auto operator<=>(const RouterConfig&) const = default;
};

struct FfnConfig {
    double dense_layers = 0;  // the first ones
    double dense_width = 0;
    double experts = 0;  // routed; 0: every layer is dense
    double shared = 0, top_k = 0, width = 0;
    RouterConfig router{};
    auto operator<=>(const FfnConfig&) const = default;
};

struct EngramConfig {
    std::vector<int> layer_ids;  // from 0
    int orders = 0, heads = 0;
    double row_dim = 0;
    double stored_row_bytes = 0;  // with scales
    double conv_taps = 0;         // of the short convolution behind the gate; 0: none
    long long buckets = 0;        // the prime search of every (order, head) starts here
    double rows_each = 0;         // rows a layer when the allocation dial sets them; 0: by the primes
    double row_bytes() const { return stored_row_bytes; }
    double rows_per_token() const { return double(orders) * heads; }
    double rows_per_layer() const;
};

// Multi-token prediction (DeepSeek-V3 report, section 2.2): each layer is a projection of the last hidden state beside
// the next token's embedding (2 h -> h) and a transformer block; embedding and head are the main model's.
struct MtpConfig {
    int layers = 1;
    LayerAttention attention;  // the main model's last one if not given
};

struct Model {
    std::string name;
    double hidden = 0, vocab = 0;
    int layers = 0;
    int prefill_layers = 0;                    // a prompt passes only these (V4.1's encoder); all of them otherwise
    std::vector<LayerAttention> attention_of;  // one a layer
    AttentionConfig attention;
    FfnConfig ffn;
    double streams = 1;  // residual streams: 1 plain, 4 mHC
    std::optional<EngramConfig> engram;
    std::optional<MtpConfig> mtp;
    Precision weights = Precision::bf16, experts = Precision::bf16;
    // As the precision dial has them. Not given: activations are what their weights want, and KV entries, index keys
    // and Engram rows have the bytes that the model's file states.
    std::optional<Precision> activations, kv, index_keys, engram_rows;

    // BF16 weights take nothing else.
    Precision activations_with(Precision stored) const {
        return stored == Precision::bf16 ? stored : activations.value_or(activations_for(stored));
    }
};

// The fields of a model file.
const std::vector<std::string>& model_fields();
Model load_model(const std::string& file);
// Notes what is wrong as problems of `root`; the result is meaningful only if there are none.
Model read_model(const YamlField& root);

}  // namespace strata
