// One kernel call of a step on one rank: what it is, whose it is, and its shape. Work comes from the shape alone.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/attention/full_attention.hpp"
#include "kernels/attention/indexer.hpp"
#include "kernels/attention/latent_attention.hpp"
#include "kernels/engram/engram.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/mhc/mhc.hpp"
#include "kernels/moe/grouped_gemm.hpp"
#include "kernels/moe/moe_experts.hpp"
#include "kernels/quant/swiglu_quantise.hpp"
#include "kernels/vision/optical_compression.hpp"

namespace strata {

// The routed experts as TensorRT-LLM has them: CUTLASS products of groups, which a table of their own measured.
struct CutlassExperts : MoeExperts {};

using KernelShape = std::variant<Gemm, MoeExperts, CutlassExperts, LatentAttention, ContextAttention, IndexerLogits,
                                 IndexerTopK, MhcPre, MhcPost, EngramFetch, EngramGate, EngramConv, GroupedGemm,
                                 SwigluQuantise, FullAttention, StridedConvolution, Patchify>;

// Where one kernel call does all routed experts of a layer; else null.
inline MoeExperts* whole_experts(KernelShape& shape) {
    if (auto* cutlass = std::get_if<CutlassExperts>(&shape)) return cutlass;
    return std::get_if<MoeExperts>(&shape);
}

inline Work work_of(const KernelShape& shape) {
    return std::visit([](const auto& op) { return op.work(); }, shape);
}

// `experts` is what stands between dispatch and combine: the routed experts alone.
enum class Slot : std::uint8_t { embedding, residual, attention, ffn, experts, memory, head, vision };

struct Op {
    std::string_view name;  // a literal: "q_up", "experts"; the component says the rest
    Slot slot = Slot::attention;
    int layer = 0;
    KernelShape shape;
    int twin = -1;  // index of an earlier op of the step with the same name and shape: most layers are alike
};

// Square images that the vision encoder takes: a page is one, or an overview and its tiles.
struct PageImages {
    double side = 0;  // pixels
    double images = 0;
};

// The step as one rank sees it. Tensor parallelism divides heads and widths; expert ranks share the routed experts.
struct StepShape {
    double sequences = 1;          // on this rank
    double queries = 1;            // new tokens of each sequence: 1 in decode, the prompt's length in prefill
    double context = 0;            // tokens already cached, of each sequence
    double tensor_ranks = 1;       // ranks that split attention heads and dense widths
    double context_ranks = 1;      // ranks that share the tokens of a prompt; `queries` are this one's
    double expert_ranks = 1;       // ranks that share the routed experts (all their tokens meet there)
    double redundant_experts = 0;  // copies of busy experts, beside one of each
    bool fused_experts = false;    // one kernel for a layer's routed experts; else one an expert product
    bool cutlass_experts = false;  // the same, as TensorRT-LLM's
    bool prefill = false;
    int drafts = 0;                    // tokens drafted after the step: a multi-token-prediction layer runs for each
    std::vector<PageImages> images{};  // of pages of the prompt, that this rank encodes
    int first_layer = 0, end_layer = 1 << 30;  // of this pipeline stage

    constexpr double tokens() const { return sequences * queries; }
};

}  // namespace strata
