// Ops that one cost curve covers, single kernels and whole attention modules.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace strata {

enum class Family : std::uint8_t {
    gemm_bf16,
    gemm_fp8,
    moe_experts,
    moe_experts_cutlass,
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
    all_reduce,
    all_reduce_nccl,
    all_gather,
    reduce_scatter,
    all_to_all,
    indexer_logits_paged,
    sparse_attention,
    fp8_quantise,
    dsa_context,
    dsa_generation,
    csa_context,
    csa_generation,
    hca_context,
    hca_generation
};
constexpr int kFamilies = 36;
std::string_view to_string(Family family);
std::optional<Family> family_named(std::string_view name);

}  // namespace strata
