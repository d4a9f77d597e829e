// Ops that one cost curve covers.
#pragma once

#include <cstdint>
#include <string_view>

namespace strata {

enum class Family : std::uint8_t {
    gemm_bf16,
    gemm_fp8,
    moe_experts,
    latent_attention,
    context_attention,
    indexer_logits,
    indexer_top_k,
    mhc_pre,
    mhc_post,
    engram_gather,
    engram_gate,
    swiglu_quantise,
    grouped_gemm,
    dispatch_low_latency,
    dispatch_normal,
    dispatch_low_latency_between_nodes,
    dispatch_normal_between_nodes,
    combine_low_latency,
    combine_normal,
    combine_low_latency_between_nodes,
    combine_normal_between_nodes,
    all_reduce
};
constexpr int kFamilies = 22;
std::string_view to_string(Family family);

}  // namespace strata
