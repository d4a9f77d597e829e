#include "sim/placement/working_set.hpp"

#include <algorithm>
#include <cmath>

#include "sim/model/element_bytes.hpp"
#include "sim/model/vision_encoder.hpp"
#include "sim/placement/cache_hits.hpp"

namespace strata {

namespace {

// One micro-batch of a rank.
struct LocalShare {
    double sequences, tokens;
    double meeting;  // tokens that meet at this rank's experts and their peers
    explicit LocalShare(const Scenario& scenario)
        : sequences(scenario.workload.batch / scenario.placement.dp / scenario.placement.batches()),
          tokens(sequences * scenario.workload.queries() / scenario.placement.cp),
          meeting(tokens * std::max(1.0, double(scenario.placement.ep) / scenario.placement.tp)) {}
};

// Tokens as the experts take them, both halves of gate and up, what the down product takes, and what it gives.
double expert_bytes(const Scenario& scenario, const LocalShare& share) {
    const Model& model = scenario.model;
    const Placement& placement = scenario.placement;
    if (model.ffn.experts <= 0) return 0;
    const double rows = share.meeting * model.ffn.top_k / placement.ep;
    const double width = model.ffn.width / std::max(1.0, double(placement.tp) / placement.ep);
    const double taken = bytes_per_element(model.activations_with(model.experts));
    return rows * (model.hidden * (taken + kBf16) + width * (2 * kBf16 + taken));
}

// Pages go through the encoder before anything else of the step is in memory: as many together as it takes at once, so
// at most that many of any size count.
double page_bytes(const Scenario& scenario, const LocalShare& share) {
    const auto& optical = scenario.workload.optical;
    if (!scenario.workload.prefill || !optical) return 0;
    std::vector<PageImages> images;
    for (const PageGroup& group : optical->prompt_pages())
        images.push_back({double(side_of(group.mode)), share.sequences * group.pages});
    return vision_activation_bytes(images);
}

// Query, output and what stands between: the latent query of absorbed decode, keys and values of prefill.
double attention_bytes(const Scenario& scenario, const LocalShare& share) {
    const AttentionConfig& a = scenario.model.attention;
    double width = 0;
    for (const LayerAttention& layer : scenario.model.attention_of) {
        const bool mla = layer.kind == AttentionKind::mla, latent = mla || layer.kind == AttentionKind::dsa;
        const double query = a.nope_dim + a.rope_dim;
        const double here = !latent                            ? 2 * a.head_dim
                            : mla && scenario.workload.prefill ? 2 * query + 2 * a.v_dim
                                                               : query + 2 * a.kv_rank + a.rope_dim + a.v_dim;
        width = std::max(width, here);
    }
    return share.tokens * a.heads / scenario.placement.tp * width * kBf16;
}

// DeepEP, csrc/config.hpp (LowLatencyLayout): a message is a token's row in BF16 and 16 B; senders have one for each
// expert, receivers too, and there are two of each so that one exchange can begin before another has ended.
double low_latency_buffer(const Scenario& scenario, const LocalShare& share) {
    const double experts = scenario.model.ffn.experts + scenario.placement.expert_dials.redundant;
    const double message = scenario.model.hidden * kBf16 + 16;
    return 2 * 2 * experts * share.tokens / scenario.placement.tp * message;
}

// In normal mode the buffers do not grow with the tokens: 2 GB for NVLink and 1 GB for RDMA are what DeepEP's own tests
// take (tests/test_internode.py).
constexpr Bytes kNvlinkBuffer{2e9}, kRdmaBuffer{1e9};

Bytes exchange_buffers(const Scenario& scenario, const LocalShare& share) {
    const double peers = scenario.placement.ep;
    if (peers <= 1 || scenario.kernels.exchange == ExchangeKernel::wire) return {};
    if (!scenario.workload.prefill) return Bytes(low_latency_buffer(scenario, share));
    const auto& domain = scenario.platform.accelerator.scale_up_domain.value;
    return domain && peers <= *domain ? kNvlinkBuffer : kNvlinkBuffer + kRdmaBuffer;
}

double staged_experts(const Scenario& scenario, const LocalShare& share) {
    const Model& model = scenario.model;
    const Placement& placement = scenario.placement;
    if (placement.experts == Tier::hbm || placement.host_computes() || model.ffn.experts <= 0) return 0;
    const double missed = expert_hits(placement, model.ffn, share.meeting).missed / placement.expert_shards();
    return missed * 3 * model.hidden * model.ffn.width * bytes_per_element(model.experts);
}

// The entries of one layer are read while those of the next come.
double staged_kv(const Scenario& scenario, const LocalShare& share) {
    if (scenario.placement.kv == Tier::hbm) return 0;
    const AttentionConfig& a = scenario.model.attention;
    double most = 0;
    for (const LayerAttention& layer : scenario.model.attention_of) {
        const double entries = scenario.workload.cached() / layer.ratio;
        const bool all = layer.kind == AttentionKind::mla || layer.kind == AttentionKind::hca;
        const double read = layer.kind == AttentionKind::swa ? 0 : all ? entries : std::min(entries, a.indexer_top_k);
        most = std::max(most, read * (1 - kv_hits(scenario.placement, layer.kind, entries)));
    }
    return 2 * share.sequences * most * a.entry_bytes;
}

// Hash addresses are known at once, so the rows of all layers can be on their way together.
double staged_rows(const Scenario& scenario, const LocalShare& share) {
    if (scenario.placement.engram == Tier::hbm || !scenario.model.engram) return 0;
    const EngramConfig& engram = *scenario.model.engram;
    const double hits =
        zipf_hit_rate(scenario.placement.hot_rows, engram.rows_per_layer(), scenario.placement.zipf_exponent);
    return share.tokens * engram.rows_per_token() * engram.row_bytes() * double(engram.layer_ids.size()) * (1 - hits);
}

}  // namespace

Bytes activation_bytes(const Scenario& scenario) {
    const LocalShare share(scenario);
    const Model& model = scenario.model;
    const Placement& placement = scenario.placement;
    const double dense = share.tokens * 3 * model.ffn.dense_width / placement.tp * kBf16;
    const double asked = share.sequences * (scenario.workload.prefill ? 1 : scenario.workload.queries());
    const double logits = asked * model.vocab / placement.tp * kFp32;
    const double residuals = share.tokens * placement.batches() * model.hidden * model.streams * kBf16;
    return Bytes(residuals + std::max({expert_bytes(scenario, share), attention_bytes(scenario, share), dense, logits,
                                       page_bytes(scenario, share)}));
}

Bytes buffer_bytes(const Scenario& scenario) {
    const LocalShare share(scenario);
    return exchange_buffers(scenario, share) +
           Bytes(staged_experts(scenario, share) + staged_kv(scenario, share) + staged_rows(scenario, share));
}

}  // namespace strata
