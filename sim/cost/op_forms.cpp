// The sides of every family that has tables, and what a point of it asks of a device. Work comes from the op headers;
// whole modules, which no header describes, are summed here from their products.
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/attention/indexer.hpp"
#include "kernels/attention/latent_attention.hpp"
#include "kernels/collective/collective.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/mhc/mhc.hpp"
#include "kernels/moe/grouped_gemm.hpp"
#include "kernels/moe/moe_experts.hpp"
#include "sim/cost/op_point.hpp"

namespace strata {

namespace {

double log2_of(double length) { return std::log2(std::max(length, 1.0)); }

std::vector<double> every_side(const OpPoint& point) {
    std::vector<double> at;
    for (std::size_t i = 0; i < form_of(point.family).sides.size(); ++i) at.push_back(log2_of(point.sides[i]));
    return at;
}

Demand in_bf16(const Work& work) { return {.bf16 = work.flops, .memory = work.bytes()}; }
Demand in_fp8(const Work& work) { return {.fp8 = work.flops, .memory = work.bytes()}; }
Demand over_link(Bytes sent) { return {.link = sent}; }

bool is_fp8(Label word) {
    static const Label cache = label_of("fp8"), blocks = label_of("fp8_block");
    return word == cache || word == blocks;
}
bool is_bf16(Label word) {
    static const Label bf16 = label_of("bfloat16");
    return word == bf16;
}

Demand gemm(const OpPoint& point) {
    const auto [m, n, k, w1, w2, w3, w4] = point.sides;
    return point.family == Family::gemm_bf16 ? in_bf16(Gemm{m, n, k, Precision::bf16}.work())
                                             : in_fp8(Gemm{m, n, k, Precision::fp8_block}.work());
}

// Experts of a rank that tokens of a row meet. `balanced` deals its tokens out: of 32 tokens with eight of 256 experts
// each meets one. As chance spreads them it would be 64 % (aiconfigurator, collector, generator of balanced logits).
double met_experts(const OpPoint& point, const MoeExperts& op) {
    static const Label balanced = label_of("balanced");
    if (point.family != Family::moe_experts_cutlass || point.labels[0] != balanced) return op.touched_experts();
    return std::min(op.local_experts, op.pairs());
}

// Tables spread tokens by their own generators, and how many experts those leave idle is not written down for all: the
// bound counts the weights that a single token needs.
Demand experts(const OpPoint& point) {
    const auto [tokens, hidden, intermediate, top_k, all, tp, ep] = point.sides;
    const bool bf16 = is_bf16(point.labels[1]);
    const MoeExperts op{.tokens = tokens,
                        .hidden = hidden,
                        .intermediate = intermediate / tp,
                        .top_k = top_k,
                        .experts = all,
                        .local_experts = all / ep,
                        .weights = bf16 ? Precision::bf16 : Precision::fp8_block};
    Demand demand = bf16 ? in_bf16(op.work()) : in_fp8(op.work());
    const double met = met_experts(point, op);
    demand.memory += Bytes((met - op.touched_experts()) * 3 * hidden * op.intermediate * bytes_per_element(op.weights));
    // The tensor cores compute whole tiles of 64 rows for each expert; a tile's padding is no work.
    const double padding = std::max(0.0, met * GroupedGemm::kTile - op.pairs());
    const Flops padded(6 * padding * hidden * op.intermediate);
    (bf16 ? demand.bf16 : demand.fp8) = (bf16 ? demand.bf16 : demand.fp8) + padded;
    (bf16 ? demand.bf16_saved : demand.fp8_saved) = padded;
    const double spared = std::max(0.0, met - std::max(1.0, top_k / ep));
    demand.memory_saved = Bytes(spared * 3 * hidden * op.intermediate * bytes_per_element(op.weights));
    return demand;
}

std::vector<double> experts_at(const OpPoint& point) {
    const auto [tokens, hidden, intermediate, top_k, all, tp, ep] = point.sides;
    return {log2_of(tokens),
            std::log2(std::max(tokens * top_k / all, 1.0 / 64)),
            log2_of(all / ep),
            log2_of(hidden),
            log2_of(intermediate / tp),
            log2_of(top_k)};
}

// Absorbed MLA, 576 and 512 wide. Of an FP8 cache nothing is known but its bytes: its products count as FP8's.
constexpr double kEntry = 576, kValue = 512;

Demand latent_attention(const OpPoint& point) {
    const auto [batch, context, heads, w1, w2, w3, w4] = point.sides;
    const bool fp8 = is_fp8(point.labels[0]);
    const Work work =
        LatentAttention{
            .sequences = batch, .heads = heads, .attended = context, .entry_bytes = fp8 ? kEntry : kEntry * 2}
            .work();
    Demand demand = fp8 ? in_fp8(work) : in_bf16(work);
    demand.rows = heads;
    demand.bf16_in_rows = demand.bf16;
    demand.fp8_in_rows = demand.fp8;
    return demand;
}

Demand context_attention(const OpPoint& point) {
    const auto [batch, length, heads, w1, w2, w3, w4] = point.sides;
    const double pairs = batch * length * (length + 1) / 2;
    const double entries = batch * length * kEntry * (is_fp8(point.labels[0]) ? 1 : 2);
    // The measured kernel is absorbed; in multi-head form a pair takes 192 and 128 wide products.
    return {.bf16 = Flops(2 * pairs * heads * (kEntry + kValue)),
            .memory = Bytes(entries + batch * length * heads * (kEntry + kValue) * 2),
            .absorbed_prefill = true,
            .bf16_saved = Flops(2 * pairs * heads * (kEntry + kValue - 192 - 128)),
            .memory_saved = Bytes(batch * length * heads * (kEntry + kValue - 192 - 128) * 2)};
}

// Of min(limit, keys that a query sees), over `queries` that follow `past` tokens.
double mean_of_fewer(double limit, double past, double queries) {
    const double growing = std::clamp(limit - past, 0.0, queries);  // queries that see all there is
    return (growing * (past + growing / 2) + (queries - growing) * limit) / queries;
}

double keys_seen(const OpPoint& point) { return point.sides[2] + point.sides[1] / 2; }

Demand indexer_logits(const OpPoint& point) {
    const auto [batch, queries, past, w1, w2, w3, w4] = point.sides;
    return in_fp8(IndexerLogits{.sequences = batch,
                                .queries = queries,
                                .keys = keys_seen(point),
                                .heads = 64,
                                .shared_reads = std::min(64.0, queries)}
                      .work());
}

// V4 scores compressed entries, one of four tokens. Logits of the part that is asked for are not all written.
Demand indexer_logits_paged(const OpPoint& point) {
    const auto [batch, queries, past, w1, w2, w3, w4] = point.sides;
    const double keys = (past + queries) / 4;
    Work work =
        IndexerLogits{.sequences = batch, .queries = queries, .keys = keys, .heads = 64, .shared_reads = queries}
            .work();
    return in_fp8(work);
}

// Cores look at every logit by plain instructions, which is what takes the time.
Demand indexer_top_k(const OpPoint& point) {
    const auto [batch, queries, past, w1, w2, w3, w4] = point.sides;
    return {.memory = IndexerTopK{.rows = batch * queries, .keys = keys_seen(point), .k = 2048}.work().bytes(),
            .elements = batch * queries * keys_seen(point)};
}

// A block for each query and 64 heads computes 2048 entries, masked ones too. Entries are gathered; how many queries of
// a sequence pick the same one, and find it in the L2, is not written down.
Demand sparse_attention(const OpPoint& point) {
    const auto [batch, queries, past, w1, w2, w3, w4] = point.sides;
    const double selected = 2048, heads = 64, attended = mean_of_fewer(selected, past, queries);
    const double most = std::min(batch * (past + queries), batch * queries * attended);
    const double pair = 2 * heads * (kEntry + kValue);
    const Flops computed(batch * queries * selected * pair);
    return {.bf16 = computed,
            .memory = Bytes(most * kEntry * 2 + batch * queries * heads * (kEntry + kValue) * 2),
            .blocks = batch * queries,
            .rows = heads,
            .bf16_in_rows = computed,
            .bf16_saved = Flops(batch * queries * (selected - attended) * pair),
            .memory_saved = Bytes((most - batch * attended) * kEntry * 2)};
}

Demand mhc_pre(const OpPoint& point) {
    return {.memory = MhcPre{.tokens = point.sides[0], .hidden = point.sides[1]}.work().bytes()};
}
Demand mhc_post(const OpPoint& point) {
    return {.memory = MhcPost{.tokens = point.sides[0], .hidden = point.sides[1]}.work().bytes()};
}

Demand fp8_quantise(const OpPoint& point) { return {.memory = Bytes(point.sides[0] * point.sides[1] * 3)}; }

// Expert-parallel exchange in one node of eight ranks.
constexpr double kNodeRanks = 8;

Demand exchange(const OpPoint& point) {
    const auto [tokens, hidden, top_k, all, sms, w1, w2] = point.sides;
    const bool low_latency =
        point.family == Family::dispatch_low_latency || point.family == Family::combine_low_latency;
    const bool dispatch = point.family == Family::dispatch_low_latency || point.family == Family::dispatch_normal;
    return over_link(ExpertAllToAll{.tokens = tokens,
                                    .hidden = hidden,
                                    .copies = low_latency ? top_k : copies_per_rank(top_k, kNodeRanks),
                                    .bytes_per_element = dispatch ? kDispatchBytes : kCombineBytes,
                                    .peers = kNodeRanks}
                         .sent());
}

// Around a ring. A switch that adds up spares a rank the second half.
Demand all_reduce(const OpPoint& point) {
    const auto [bytes, ranks, w1, w2, w3, w4, w5] = point.sides;
    const Bytes sent = AllReduce{.elements = bytes, .bytes_per_element = 1, .peers = ranks}.sent();
    return {.link = sent, .link_saved = sent * 0.5};
}
// Gathering, scattering and exchanging: all but the own share of the buffer crosses the link once.
Demand once_around(const OpPoint& point) {
    const auto [bytes, ranks, w1, w2, w3, w4, w5] = point.sides;
    return over_link(Bytes(bytes * (ranks - 1) / ranks));
}

std::vector<double> bytes_and_ranks(const OpPoint& point) {
    return {log2_of(point.sides[0]), 2 * log2_of(point.sides[1])};
}

// A sparse attention module of one layer, its projections included, for `tokens` new ones that see `context` each.
struct Module {
    double hidden, q_rank, kv_width;   // down-projections
    double score, value, out_rank;     // a head's; the output goes through out_rank where that is not 0
    double compress, selected, local;  // tokens an entry, entries attended to, window beside
    double index_heads, index_dim;     // 0: no indexer
};

// DeepSeek-V3.2 and V4: their configurations. GLM-5 (zai-org/GLM-5 config.json): MLA with 6144 hidden, 2048 query rank,
// 32 index heads. What the sum of products misses the residuals of the table hold.
Module module_of(const OpPoint& point) {
    const std::string model = word_of(point.labels[0]);
    const bool pro = model.find("Pro") != std::string::npos, glm = model.find("GLM") != std::string::npos;
    switch (point.family) {
        case Family::csa_context:
        case Family::csa_generation:
            return {pro ? 7168.0 : 4096.0,
                    pro ? 1536.0 : 1024.0,
                    512,
                    512,
                    512,
                    1024,
                    4,
                    pro ? 1024.0 : 512.0,
                    128,
                    64,
                    128};
        case Family::hca_context:
        case Family::hca_generation:
            return {pro ? 7168.0 : 4096.0, pro ? 1536.0 : 1024.0, 512, 512, 512, 1024, 128, 1e12, 128, 0, 128};
        default: {  // short contexts are attended to whole, in multi-head form and without an indexer
            const bool dense = word_of(point.labels[4]).find("dense") != std::string::npos;
            return {glm ? 6144.0 : 7168.0,
                    glm ? 2048.0 : 1536.0,
                    576,
                    dense ? 192.0 : 576.0,
                    dense ? 128.0 : 512.0,
                    0,
                    1,
                    dense ? 1e12 : 2048.0,
                    0,
                    dense ? 0.0
                    : glm ? 32.0
                          : 64.0,
                    128};
        }
    }
}

Demand module(const OpPoint& point, double batch, double queries, double past, double heads, bool fp8, bool indexed) {
    const double entry = is_bf16(point.labels[2]) ? 2 : 1;  // bytes of an element of the cache
    const Module m = module_of(point);
    const double tokens = batch * queries, entries = (past + queries / 2) / m.compress;
    const double products = m.hidden * (m.q_rank + m.kv_width) + heads * m.q_rank * m.score + heads * m.value * 128 +
                            (m.out_rank > 0 ? m.out_rank : heads * 128) * m.hidden;
    const double index = indexed && m.index_heads > 0
                             ? tokens * (m.q_rank * m.index_heads * m.index_dim + entries * m.index_heads * m.index_dim)
                             : 0;
    const double attended =
        mean_of_fewer(m.selected, past / m.compress, queries / m.compress) + mean_of_fewer(m.local, past, queries);
    const Flops dense(2 * tokens * products), attention(2 * tokens * attended * heads * (m.score + m.value));
    const double read = std::min(batch * entries, tokens * attended) * m.score * entry +
                        (index > 0 ? batch * entries * (m.index_dim + 4) : 0) + products * (fp8 ? 1 : 2);
    return {.bf16 = fp8 ? attention : dense + attention,
            .fp8 = Flops(2 * index) + (fp8 ? dense : Flops(0)),
            .memory = Bytes(read)};
}

Demand module_context(const OpPoint& point) {
    const auto [batch, queries, past, heads, w1, w2, w3] = point.sides;
    return module(point, batch, queries, past, heads, is_fp8(point.labels[1]),
                  word_of(point.labels[3]).find("skip") == std::string::npos);
}
Demand module_generation(const OpPoint& point) {
    const auto [batch, past, heads, w1, w2, w3, w4] = point.sides;
    return module(point, batch, 1, past, heads, is_fp8(point.labels[1]),
                  word_of(point.labels[3]).find("skip") == std::string::npos);
}

std::vector<double> module_context_at(const OpPoint& point) {
    const auto [batch, queries, past, heads, w1, w2, w3] = point.sides;
    return {log2_of(batch), log2_of(queries),         log2_of(past + queries),
            log2_of(heads), log2_of(batch * queries), log2_of(past + 1)};
}
std::vector<double> module_generation_at(const OpPoint& point) {
    const auto [batch, past, heads, w1, w2, w3, w4] = point.sides;
    return {log2_of(batch), log2_of(past + 1), log2_of(heads)};
}
std::vector<double> queries_at(const OpPoint& point) {
    const auto [batch, queries, past, w1, w2, w3, w4] = point.sides;
    return {log2_of(batch), log2_of(queries), log2_of(past + queries)};
}

using SideNames = std::vector<std::string_view>;
using FormWords = std::vector<OpForm::Word>;

OpForm describe(Family family) {
    const SideNames queries{"batch", "queries", "past"}, expert{"tokens", "hidden", "top_k", "experts"},
        wire{"bytes", "ranks"};
    const FormWords dsa{{"model", 0.7}, {"gemm", 1.4}, {"cache", 1.4}, {"op", 4.2}, {"kernel", 8.5}};
    const FormWords compressed{{"model", 4.2}, {"gemm", 4.2}};
    switch (family) {
        case Family::gemm_bf16:
        case Family::gemm_fp8: return {{"m", "n", "k"}, {}, 0, gemm, every_side};
        case Family::moe_experts:
        case Family::moe_experts_cutlass:
            return {{"tokens", "hidden", "intermediate", "top_k", "experts", "tp", "ep"},
                    {{"distribution", 2}, {"dtype", 1}},
                    0,
                    experts,
                    experts_at};
        case Family::latent_attention:
            return {{"batch", "context", "heads"}, {{"cache", 16}}, 0, latent_attention, every_side};
        case Family::context_attention:
            return {{"batch", "length", "heads"}, {{"cache", 16}}, 1, context_attention, every_side};
        case Family::indexer_logits: return {queries, {}, 0, indexer_logits, queries_at};
        case Family::indexer_logits_paged: return {queries, {}, 0, indexer_logits_paged, queries_at};
        case Family::indexer_top_k: return {queries, {{"mode", 16}}, 0, indexer_top_k, queries_at};
        case Family::sparse_attention: return {queries, {}, 0, sparse_attention, queries_at};
        case Family::mhc_pre: return {{"tokens", "hidden"}, {}, 0, mhc_pre, every_side};
        case Family::mhc_post: return {{"tokens", "hidden"}, {}, 0, mhc_post, every_side};
        case Family::fp8_quantise: return {{"m", "k"}, {}, 0, fp8_quantise, every_side};
        case Family::dispatch_low_latency:
        case Family::combine_low_latency: return {expert, {}, 0, exchange, every_side};
        case Family::dispatch_normal:
        case Family::combine_normal:
            return {{"tokens", "hidden", "top_k", "experts", "sms"}, {}, 0, exchange, every_side};
        case Family::all_reduce: return {wire, {{"launch", 16}}, 0, all_reduce, bytes_and_ranks};
        case Family::all_reduce_nccl: return {wire, {{"dtype", 0.5}}, 0, all_reduce, bytes_and_ranks};
        case Family::all_gather:
        case Family::reduce_scatter:
        case Family::all_to_all: return {wire, {{"dtype", 0.5}}, 0, once_around, bytes_and_ranks};
        case Family::dsa_context:
            return {{"batch", "queries", "past", "heads"}, dsa, 0, module_context, module_context_at};
        case Family::dsa_generation:
            return {{"batch", "past", "heads"}, dsa, 0, module_generation, module_generation_at};
        case Family::csa_context:
        case Family::hca_context:
            return {{"batch", "queries", "past", "heads"}, compressed, 0, module_context, module_context_at};
        case Family::csa_generation:
        case Family::hca_generation:
            return {{"batch", "past", "heads"}, compressed, 0, module_generation, module_generation_at};
        default: return {};  // has no tables
    }
}

}  // namespace

const OpForm& form_of(Family family) {
    static const auto forms = [] {
        std::array<OpForm, kFamilies> all;
        for (int i = 0; i < kFamilies; ++i) all[static_cast<std::size_t>(i)] = describe(static_cast<Family>(i));
        return all;
    }();
    return forms[static_cast<std::size_t>(family)];
}

}  // namespace strata
