#include "sim/model/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/model/precision.hpp"

namespace strata {

namespace {

double positive(const YamlField& field, double fallback = 0) {
    if (!field.exists() && fallback > 0) return fallback;
    const double value = field.number(1);
    if (!(value > 0)) field.problem("a number above 0", fmt::format("{}", value));
    return value;
}

double not_negative(const YamlField& field) {
    if (!field.exists()) return 0;
    const double value = field.number();
    if (value < 0) field.problem("a number of at least 0", fmt::format("{}", value));
    return value;
}

AttentionKind kind_of(const YamlField& field) {
    static const std::vector<std::string> names{"mla", "dsa", "swa", "csa", "hca", "reuse"};
    const std::string text = field.text();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == text) return static_cast<AttentionKind>(i);
    const auto meant = nearest_name(text, names);
    field.problem(fmt::format("one of {}", fmt::join(names, ", ")),
                  "'" + text + "'" + (meant ? ". Did you mean '" + *meant + "'?" : ""));
    return AttentionKind::mla;
}

Precision precision_of(const YamlField& field, const PrecisionNames& known) {
    const std::string text = field.text();
    std::vector<std::string> names;
    for (const auto& [name, precision] : known) {
        if (name == text) return precision;
        names.emplace_back(name);
    }
    const auto meant = nearest_name(text, names);
    field.problem(fmt::format("one of {}", fmt::join(names, ", ")),
                  "'" + text + "'" + (meant ? ". Did you mean '" + *meant + "'?" : ""));
    return Precision::bf16;
}

std::optional<Precision> precision_if_given(const YamlField& field, const PrecisionNames& known) {
    if (!field.exists()) return std::nullopt;
    return precision_of(field, known);
}

// [{kinds: [csa, hca], ratios: [4, 128], times: 20}, ...]: each entry is a group of layers, repeated.
std::vector<LayerAttention> read_pattern(const YamlField& field, int layers) {
    std::vector<LayerAttention> pattern;
    for (const YamlField& group : field.items()) {
        group.allow_only({"kinds", "ratios", "times"});
        std::vector<LayerAttention> once;
        for (const YamlField& kind : group["kinds"].items()) once.push_back({kind_of(kind), 1});
        if (group["ratios"].exists()) {
            const std::vector<YamlField> ratios = group["ratios"].items();
            if (ratios.size() != once.size())
                group["ratios"].problem(fmt::format("{} ratios, one a kind", once.size()),
                                        std::to_string(ratios.size()));
            for (std::size_t i = 0; i < std::min(ratios.size(), once.size()); ++i) once[i].ratio = positive(ratios[i]);
        }
        const long long times = group["times"].exists() ? group["times"].integer(1) : 1;
        if (times < 1 || times > layers) {
            group["times"].problem(fmt::format("1 to {} repetitions", layers), std::to_string(times));
            continue;
        }
        for (long long t = 0; t < times; ++t) pattern.insert(pattern.end(), once.begin(), once.end());
    }
    if (static_cast<int>(pattern.size()) != layers)
        field.problem(fmt::format("{} layers in all", layers), fmt::format("{}", pattern.size()));
    return pattern;
}

AttentionConfig read_attention(const YamlField& field) {
    field.allow_only({"pattern", "heads", "q_rank", "kv_rank", "rope_dim", "nope_dim", "v_dim", "head_dim",
                      "output_groups", "output_rank", "window", "entry_bytes", "indexer"});
    AttentionConfig attention;
    attention.heads = positive(field["heads"]);
    attention.q_rank = not_negative(field["q_rank"]);
    attention.kv_rank = positive(field["kv_rank"], attention.kv_rank);
    attention.rope_dim = positive(field["rope_dim"], attention.rope_dim);
    attention.nope_dim = positive(field["nope_dim"], attention.nope_dim);
    attention.v_dim = positive(field["v_dim"], attention.v_dim);
    attention.head_dim = positive(field["head_dim"], attention.head_dim);
    attention.output_groups = not_negative(field["output_groups"]);
    attention.output_rank = not_negative(field["output_rank"]);
    attention.window = not_negative(field["window"]);
    attention.entry_bytes = positive(field["entry_bytes"]);
    if (!field["indexer"].exists()) return attention;
    const YamlField indexer = field["indexer"];
    indexer.allow_only({"heads", "dim", "top_k", "key_bytes", "candidates"});
    attention.indexer_heads = positive(indexer["heads"]);
    attention.indexer_dim = positive(indexer["dim"]);
    attention.indexer_top_k = positive(indexer["top_k"]);
    attention.indexer_key_bytes = positive(indexer["key_bytes"]);
    attention.indexer_candidates = not_negative(indexer["candidates"]);
    return attention;
}

RouterConfig read_router(const YamlField& field, const FfnConfig& ffn) {
    RouterConfig router;
    if (!field.exists()) return router;
    field.allow_only({"score", "groups", "kept", "hash_layers"});
    if (const std::string score = field["score"].exists() ? field["score"].text() : "sigmoid"; score == "sqrt_softplus")
        router.sqrt_softplus = true;
    else if (score != "sigmoid")
        field["score"].problem("one of sigmoid, sqrt_softplus", "'" + score + "'");
    const auto count = [](const YamlField& of, long long least, double most, int& into) {
        if (!of.exists()) return;
        const long long value = of.integer(least);
        if (value < least || double(value) > most)
            of.problem(fmt::format("a whole number from {} to {}", least, most), std::to_string(value));
        else
            into = static_cast<int>(value);
    };
    count(field["groups"], 1, std::max(1.0, ffn.experts), router.groups);
    router.kept = router.groups;
    count(field["kept"], 1, router.groups, router.kept);
    count(field["hash_layers"], 0, 10000, router.hash_layers);
    if (std::fmod(ffn.experts, router.groups) != 0)
        field["groups"].problem(fmt::format("a divisor of the {} experts", ffn.experts), std::to_string(router.groups));
    else if (ffn.experts / router.groups * router.kept < ffn.top_k)
        field["kept"].problem(fmt::format("groups that hold the {} experts of a token", ffn.top_k),
                              std::to_string(router.kept));
    return router;
}

FfnConfig read_ffn(const YamlField& field) {
    field.allow_only({"dense_layers", "dense_width", "experts", "shared", "top_k", "width", "router"});
    FfnConfig ffn;
    ffn.dense_layers = not_negative(field["dense_layers"]);
    ffn.dense_width = not_negative(field["dense_width"]);
    ffn.experts = not_negative(field["experts"]);
    ffn.shared = not_negative(field["shared"]);
    ffn.top_k = not_negative(field["top_k"]);
    ffn.width = not_negative(field["width"]);
    if (ffn.experts > 0 && (ffn.top_k <= 0 || ffn.top_k > ffn.experts))
        field["top_k"].problem(fmt::format("1 to {} experts a token", ffn.experts), fmt::format("{}", ffn.top_k));
    if (ffn.experts > 0) positive(field["width"]);
    ffn.router = read_router(field["router"], ffn);
    return ffn;
}

// From 1 to `most`, which its type holds.
template <class Integer>
Integer whole(const YamlField& field, double most) {
    const double value = field.number(1);
    if (value >= 1 && value <= most && value == std::floor(value)) return static_cast<Integer>(value);
    field.problem(fmt::format("a whole number from 1 to {}", most), fmt::format("{}", value));
    return 1;
}

EngramConfig read_engram(const YamlField& field, int layers) {
    field.allow_only({"layers", "orders", "heads", "row_dim", "row_bytes", "buckets", "conv_taps"});
    EngramConfig engram;
    for (const YamlField& layer : field["layers"].items()) {
        const long long id = layer.integer();
        if (id < 0 || id >= layers) layer.problem(fmt::format("a layer from 0 to {}", layers - 1), std::to_string(id));
        engram.layer_ids.push_back(static_cast<int>(id));
    }
    engram.orders = whole<int>(field["orders"], 64);
    engram.heads = whole<int>(field["heads"], 4096);
    engram.row_dim = positive(field["row_dim"]);
    engram.stored_row_bytes = positive(field["row_bytes"]);
    engram.conv_taps = not_negative(field["conv_taps"]);
    engram.buckets = whole<long long>(field["buckets"], 1e12);
    return engram;
}

MtpConfig read_mtp(const YamlField& field, const LayerAttention& last) {
    field.allow_only({"layers", "attention"});
    MtpConfig mtp{.layers = static_cast<int>(field["layers"].integer(1)), .attention = last};
    if (mtp.layers < 1 || mtp.layers > 16) field["layers"].problem("1 to 16 layers", std::to_string(mtp.layers));
    if (field["attention"].exists()) mtp.attention = {kind_of(field["attention"]), last.ratio};
    return mtp;
}

// Products for which there is no kernel anywhere, and formats of what the model has not.
void refuse_unsupported(const Model& model, const YamlField& field) {
    const bool fp8 = model.activations && *model.activations != Precision::bf16;
    const bool experts = model.ffn.experts > 0;
    const bool int8 = model.weights == Precision::int8 || (experts && model.experts == Precision::int8);
    if (int8 && model.activations && *model.activations != Precision::int8)
        field["activations"].problem("int8, which INT8 weights meet", std::string(to_string(*model.activations)));
    if (!int8 && model.activations == Precision::int8)
        field["activations"].problem("something else: only INT8 weights meet INT8 activations", "int8");
    const auto widened = [](Precision stored) {
        return stored != Precision::bf16 && activations_for(stored) == Precision::bf16;
    };
    if (fp8 && (widened(model.weights) || (experts && widened(model.experts))))
        field["activations"].problem("bf16, because such weights are widened to BF16: their scales fit no FP8 number",
                                     std::string(to_string(*model.activations)));
    else if (fp8 && model.weights == Precision::bf16 && (!experts || model.experts == Precision::bf16))
        field["activations"].problem("bf16, because all weights are BF16", std::string(to_string(*model.activations)));
    if (model.index_keys && model.attention.indexer_heads == 0)
        field["index_keys"].problem("this model has no indexer, whose keys could be stored");
    if (model.engram_rows && !model.engram)
        field["engram"].problem("this model has no Engram tables, whose rows could be stored");
}

void read_precision(Model& model, const YamlField& field) {
    field.allow_only({"weights", "experts", "activations", "kv", "index_keys", "engram"});
    model.weights = precision_of(field["weights"], weight_precisions());
    model.experts = precision_of(field["experts"], weight_precisions());
    model.activations = precision_if_given(field["activations"], activation_precisions());
    model.kv = precision_if_given(field["kv"], row_precisions());
    model.index_keys = precision_if_given(field["index_keys"], row_precisions());
    model.engram_rows = precision_if_given(field["engram"], row_precisions());
    refuse_unsupported(model, field);
    AttentionConfig& attention = model.attention;
    if (model.kv) {
        bool latent = false;  // else one entry holds rotary and plain part in head_dim
        for (const LayerAttention& layer : model.attention_of)
            latent = latent || layer.kind == AttentionKind::mla || layer.kind == AttentionKind::dsa;
        attention.entry_bytes = kv_entry_bytes(latent ? attention.kv_rank : attention.head_dim - attention.rope_dim,
                                               attention.rope_dim, *model.kv);
    }
    if (model.index_keys) attention.indexer_key_bytes = row_bytes(attention.indexer_dim, *model.index_keys);
    if (model.engram_rows && model.engram)
        model.engram->stored_row_bytes = row_bytes(model.engram->row_dim, *model.engram_rows);
}

}  // namespace

const std::vector<std::string>& model_fields() {
    static const std::vector<std::string> fields{"name",   "hidden",    "layers",   "prefill_layers",
                                                 "vocab",  "attention", "ffn",      "residual_streams",
                                                 "engram", "mtp",       "precision"};
    return fields;
}

Model read_model(const YamlField& root) {
    root.allow_only(model_fields());
    Model model;
    model.name = root["name"].text();
    model.hidden = positive(root["hidden"]);
    model.vocab = positive(root["vocab"]);
    model.layers = static_cast<int>(root["layers"].integer(1));
    if (model.layers < 1 || model.layers > 10000) {
        root["layers"].problem("1 to 10000 layers", std::to_string(model.layers));
        return model;
    }
    model.prefill_layers =
        root["prefill_layers"].exists() ? static_cast<int>(root["prefill_layers"].integer()) : model.layers;
    if (model.prefill_layers < 1 || model.prefill_layers > model.layers)
        root["prefill_layers"].problem(fmt::format("1 to {} layers", model.layers),
                                       std::to_string(model.prefill_layers));
    model.attention = read_attention(root["attention"]);
    model.attention_of = read_pattern(root["attention"]["pattern"], model.layers);
    model.ffn = read_ffn(root["ffn"]);
    model.streams = positive(root["residual_streams"], 1);
    if (root["engram"].exists() && !root["engram"].is_null()) model.engram = read_engram(root["engram"], model.layers);
    if (root["mtp"].exists() && !root["mtp"].is_null() && !model.attention_of.empty())
        model.mtp = read_mtp(root["mtp"], model.attention_of.back());
    read_precision(model, root["precision"]);
    return model;
}

Model load_model(const std::string& file) {
    Problems problems;
    Model model = read_model(YamlField(load_yaml(file), file, "", problems));
    problems.throw_if_any();
    return model;
}

}  // namespace strata
